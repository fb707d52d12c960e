import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url);
import{a as s,l as i,ua as a,wa as c,xb as d,zb as f}from"./shared-TCK6UVWV.js";var p=6e4;try{let{STATE_home:e,STATE_owner:t}=process.env;e!==void 0&&e!==""&&t!==void 0&&await w(e,t)}catch(e){process.stdout.write(`Baton: the thread could not be freed: ${i(e).code}
`)}process.exit();async function w(e,t){let r=f(process.env),{state:o}=await d(r,e,c),n=o.snapshot.driver;if(n?.owner!==t||n.expiresAt<=a.now())return;let m={owner:`${t} (after its end)`,job:r.workflowRunId,ttlMs:p};await o.takeDriver({...m,deadOwner:t})!==null&&(await o.releaseDriver(()=>!1),process.stdout.write(`Baton: ${e} is free again; the next event or the schedule goes on.
`))}s(w,"free");
