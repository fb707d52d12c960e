import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url);
import{a,b,c,d}from"./shared-U57ZJJST.js";import"./shared-O4F3IR7A.js";import"./shared-FIPH4I23.js";import"./shared-YDTN7UIM.js";export{a as allProbes,d as probeHost,c as runProbes,b as runQuickProbes};
