/** How the page of `check -o html` looks, and its search. Colours keep a contrast of 4.5 in light and in dark. */

export const STYLE = `:root{color-scheme:light dark;--bg:#fff;--text:#1b1f24;--dim:#57606a;--line:#d0d7de;--panel:#f6f8fa;
--yes:#116329;--no:#a40e26;--unknown:#5b3d00;--info:#0a4a94;--on:#fff;--link:#0550ae}
@media(prefers-color-scheme:dark){:root{--bg:#0d1117;--text:#e6edf3;--dim:#9da7b1;--line:#30363d;--panel:#161b22;
--yes:#7ee787;--no:#ffa198;--unknown:#f2cc60;--info:#a5d6ff;--on:#0d1117;--link:#79c0ff}}
*{box-sizing:border-box}body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--bg);margin:0 auto;max-width:76rem;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;margin:0 0 1rem}h2{font-size:1.25rem;margin:2.5rem 0 .6rem}h3{font-size:1rem;margin:.6rem 0 .2rem}a{color:var(--link)}
.answer{list-style:none;margin:0;padding:0;display:flex;flex-wrap:wrap;gap:.4rem 2rem;font-size:1.1rem}
.bar{display:flex;height:.8rem;border-radius:.4rem;overflow:hidden;margin:.8rem 0;background:var(--line)}
.bar .yes{background:var(--yes)}.bar .no{background:var(--no)}.bar .unknown{background:var(--unknown)}
.badge{display:inline-block;font-size:.8rem;line-height:1.4;padding:0 .5rem;border-radius:.7rem;color:var(--on);background:var(--info)}
.badge.yes{background:var(--yes)}.badge.no,.badge.error{background:var(--no)}.badge.unknown,.badge.warn{background:var(--unknown)}
progress{vertical-align:middle;width:12rem}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;margin:.4rem 0 1rem}
th,td{border-bottom:1px solid var(--line);padding:.35rem .7rem;text-align:left;vertical-align:top;font-weight:normal}
thead th{color:var(--dim);font-size:.85rem;white-space:nowrap}tbody th{font-weight:600;overflow-wrap:anywhere}.n{text-align:right}.n.error{color:var(--no);font-weight:600}
.port{display:inline-block;border:1px solid var(--line);border-left:.3rem solid var(--line);border-radius:.3rem;padding:0 .5rem;margin:.1rem 0;font-size:.9rem}
.port.closed{border-left-color:var(--yes)}.port.open{border-left-color:var(--unknown)}.port.breaks{border-color:var(--no);color:var(--no)}
.finding{border:1px solid var(--line);border-radius:.4rem;margin:.5rem 0;padding:.4rem .8rem}
summary{cursor:pointer;overflow-wrap:anywhere}.finding[open]{background:var(--panel)}
code,pre{font-family:ui-monospace,monospace;font-size:.85rem}td code{overflow-wrap:anywhere;display:inline-block;min-width:16rem}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--bg);border:1px solid var(--line);border-radius:.3rem;padding:.6rem;margin:.3rem 0}
.search{margin-top:2rem}.search label{display:block;color:var(--dim)}
input{font:inherit;color:inherit;background:var(--bg);border:1px solid var(--dim);border-radius:.3rem;width:100%;max-width:30rem;padding:.35rem .6rem}
@media print{:root{color-scheme:light}.search,.bar{display:none}body{max-width:none;font-size:11px;padding:0}
.scroll{overflow:visible}tr,.port{break-inside:avoid}h2{break-after:avoid}*{print-color-adjust:exact}}`

export const SCRIPT = `const all=[...document.querySelectorAll('.hit')].map(e=>[e,e.textContent.toLowerCase()]);
const hits=document.getElementById('hits');
document.getElementById('search').addEventListener('input',({target})=>{
const words=target.value.toLowerCase().split(/\\s+/).filter(Boolean);let shown=0;
for(const[e,t]of all){e.hidden=!words.every(w=>t.includes(w));if(!e.hidden)shown++}
hits.textContent=words.length?shown+' of '+all.length:''});
addEventListener('beforeprint',()=>{for(const[e]of all)if(e.tagName==='DETAILS'&&!e.hidden)e.open=true})`
