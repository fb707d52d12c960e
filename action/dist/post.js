import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url);
var{STATE_home:e,STATE_owner:o}=process.env;if(e!==void 0&&e!==""&&o!==void 0){let{freeThread:r}=await import("./shared-JUANI4PJ.js");process.stdout.write(await r(process.env,e,o))}process.exit();
