/**
 * The style of reports: light and dark by the reader's setting, from phone to desktop.
 *
 * @module
 */

/** CSS. */
export const STYLE = `
:root{--bg:#fafaf8;--fg:#1c1d1f;--dim:#63676d;--line:#dcdcd6;--card:#fff;--s1:#2463b4;--s2:#c2570c;--s3:#b3261e;--s4:#1e7d4f;--note:#fff6dd;--bad:#fde7e5}
@media (prefers-color-scheme:dark){:root{--bg:#15171a;--fg:#e8e8e4;--dim:#9aa0a7;--line:#33373d;--card:#1d2024;--s1:#7fb2f5;--s2:#f0a05c;--s3:#f28b82;--s4:#6fcf97;--note:#33301f;--bad:#3d2321}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:15px/1.5 system-ui,sans-serif}
main{max-width:1100px;margin:0 auto;padding:24px 16px 48px}
h1{font-size:1.5rem;margin:0;overflow-wrap:anywhere}
h2{font-size:1.05rem;margin:28px 0 8px}
header p{color:var(--dim);margin:4px 0 16px;overflow-wrap:anywhere}
.note{background:var(--note);border-radius:8px;padding:12px 16px;margin:12px 0}
.note.bad{background:var(--bad)}
.note ul{margin:6px 0 0;padding-left:20px;overflow-wrap:anywhere}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(135px,1fr));gap:10px;margin:16px 0}
.tiles div{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px 14px}
.tiles span,.tiles small{display:block;color:var(--dim);font-size:.85rem;min-height:1.2em}
.tiles b{display:block;font-size:1.3rem;white-space:nowrap;font-variant-numeric:tabular-nums}
.charts{display:grid;margin:14px 0;grid-template-columns:repeat(auto-fit,minmax(min(100%,440px),1fr));gap:14px}
figure{margin:0;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px}
figcaption{font-weight:600;margin-bottom:6px;display:flex;flex-wrap:wrap;justify-content:space-between;gap:4px 16px}
.legend{font-weight:400;color:var(--dim);display:flex;gap:12px}
.key{display:inline-block;width:14px;height:3px;margin-right:5px;vertical-align:middle}
.key.s1{background:var(--s1)}.key.s2{background:var(--s2)}.key.s3{background:var(--s3)}.key.s4{background:var(--s4)}
svg{display:block;width:100%;height:auto}
path{fill:none;stroke-width:1.8;stroke-linejoin:round}
path.s0{stroke:var(--dim)}path.s1{stroke:var(--s1)}path.s2{stroke:var(--s2)}path.s3{stroke:var(--s3)}path.s4{stroke:var(--s4)}
circle.s0{fill:var(--dim)}circle.s1{fill:var(--s1)}circle.s2{fill:var(--s2)}circle.s3{fill:var(--s3)}circle.s4{fill:var(--s4)}
.bar{fill:var(--s1)}
.grid{stroke:var(--line)}
.tick,.axis{fill:var(--dim);font-size:11px;font-family:system-ui,sans-serif}
@media (max-width:600px){.tick,.axis{font-size:17px}}
.none,.remark{color:var(--dim)}
.remark{margin:6px 0;max-width:75ch}
.table>div{overflow-x:auto}
.facts td:last-child{text-align:left;white-space:normal;overflow-wrap:anywhere;width:100%}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:6px 10px;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left}
th{color:var(--dim);font-weight:600}
details{margin-top:24px}
summary{cursor:pointer;font-weight:600}
pre{overflow:auto;background:var(--card);border:1px solid var(--line);border-radius:8px;padding:12px}
`;
