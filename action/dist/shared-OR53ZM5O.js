import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url);
import{c as a,d as b}from"./shared-FIPH4I23.js";import"./shared-YDTN7UIM.js";export{b as networkProbes,a as probeEgress};
