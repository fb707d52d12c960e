import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url);
import{Ib as c,Kb as f,ic as d,mc as l}from"./shared-O6OUXBCI.js";import{D as a}from"./shared-NICX7YTY.js";import{a as i}from"./shared-YDTN7UIM.js";var g=6e4;async function b(n,e,t){try{return await u(n,e,t)?`Baton: ${e} is free again; the next event or the schedule goes on.
`:""}catch(r){return`Baton: the thread could not be freed: ${a(r).code}
`}}i(b,"freeThread");async function u(n,e,t){let r=l(n),{state:o}=await d(r,e,f),s=o.snapshot.driver;if(s?.owner!==t||s.expiresAt<=c.now())return!1;let m={owner:`${t} (after its end)`,job:r.workflowRunId,ttlMs:g};return await o.takeDriver({...m,deadOwner:t})===null?!1:(await o.releaseDriver(()=>!1),!0)}i(u,"free");export{b as freeThread};
