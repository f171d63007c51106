/** What a hostile output tries, and a server on this computer that must never hear of it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Stands for any service on this computer; it would answer a page of any origin. */
export class LoopbackService {
  readonly heard: string[] = [];
  readonly #server: Server;

  constructor() {
    this.#server = createServer((request, response) => {
      this.heard.push(`${request.method ?? ''} ${request.url ?? ''}`);
      response.setHeader('access-control-allow-origin', '*');
      response.end('caught');
    });
    this.#server.on('upgrade', (request, socket) => {
      this.heard.push(`UPGRADE ${request.url ?? ''}`);
      socket.destroy();
    });
  }

  async start(): Promise<this> {
    await new Promise<void>(resolve => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port.toString()}/`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise(resolve => this.#server.close(resolve));
  }
}

/**
 * A script that tries all that a page could do for a stranger, and leaves in `window.hostile` what it was given: a list
 * under the script's own tag. Nothing but JavaScript of one line, to be put anywhere.
 */
export const attack = (tag: string, service: string, lab: string): string =>
  `(async()=>{const got=[];window.hostile=Object.assign(window.hostile||{},{[${JSON.stringify(tag)}]:got});` +
  `const S=${JSON.stringify(service)},L=${JSON.stringify(lab)};const tries={` +
  'app:()=>[window,parent,parent.parent,top].some(w=>{try{return w.jupyterapp}catch{return false}}),' +
  'document:()=>top.document.title,config:()=>document.getElementById("jupyter-config-data"),' +
  'cookie:()=>document.cookie,storage:()=>localStorage,frame:()=>window.frameElement,opener:()=>window.opener,' +
  'fetch:async()=>(await fetch(S+"fetch")).status,blind:async()=>(await fetch(S+"blind",{mode:"no-cors"})).type,' +
  'server:async()=>(await fetch(L+"api/contents",{credentials:"include"})).status,' +
  'terminal:async()=>(await fetch(L+"api/terminals",{method:"POST",credentials:"include"})).status,' +
  'bridge:async()=>(await fetch(L+"hitch/api/clusters",{credentials:"include"})).status,' +
  'request:()=>new Promise((y,n)=>{const x=new XMLHttpRequest();x.open("GET",S+"xhr");x.onload=()=>y(1);x.onerror=n;x.send()}),' +
  'socket:()=>new Promise((y,n)=>{const w=new WebSocket(S.replace("http","ws")+"socket");w.onopen=()=>y(1);w.onerror=n}),' +
  'events:()=>new Promise((y,n)=>{const e=new EventSource(S+"events");e.onopen=()=>y(1);e.onerror=n}),' +
  'picture:()=>new Promise((y,n)=>{const i=new Image();i.onload=y;i.onerror=n;i.src=S+"picture"}),' +
  'script:()=>new Promise((y,n)=>{const s=document.createElement("script");s.onload=y;s.onerror=n;s.src=S+"script";document.head.append(s)}),' +
  'style:()=>new Promise((y,n)=>{const s=document.createElement("link");s.rel="stylesheet";s.onload=y;s.onerror=n;s.href=S+"style";document.head.append(s)}),' +
  'popup:()=>window.open(S+"popup"),top:()=>{top.location.href=S+"top"},parent:()=>{parent.location.href=S+"parent"},' +
  'form:()=>{const f=document.createElement("form");f.method="POST";f.action=S+"form";document.body.append(f);f.submit()},' +
  'inner:()=>{const f=document.createElement("iframe");f.src=S+"inner";document.body.append(f)},' +
  'words:()=>{for(const t of ["hitch-outer","hitch-lost",{type:"comm"},{type:"show"}])top.postMessage(t,"*")},' +
  'beacon:()=>{navigator.sendBeacon(S+"beacon","x")}};' +
  'for(const [name,run] of Object.entries(tries)){try{if(await run())got.push(name)}catch{}}' +
  'got.push("end")})()';
