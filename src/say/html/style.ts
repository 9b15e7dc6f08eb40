/**
 * The look of the page: calm, set like a printed sheet, code in one width. Tones come as pairs for light and dark, each
 * with a contrast of 4.5 at least (test/page.test.ts measures it). Lines of the drawing differ by their dashes too.
 */
const tones = `:root{color-scheme:light dark;--paper:#fbfaf7;--sheet:#fff;--ink:#1d1d1b;--quiet:#5d5b54;--line:#dfdcd3;--soft:#f3f1eb;
--good:#17683a;--note:#0d5c74;--warn:#825000;--bad:#a9231c;--good-tint:#e8f2eb;--note-tint:#e4f0f4;--warn-tint:#f8eed9;--bad-tint:#fae7e4}
@media (prefers-color-scheme:dark){:root{--paper:#141512;--sheet:#1b1c19;--ink:#ebe9e2;--quiet:#a9a79d;--line:#383932;--soft:#23241f;
--good:#86d3a1;--note:#82cbdf;--warn:#e8ba6c;--bad:#ffa398;--good-tint:#1a2a1f;--note-tint:#172930;--warn-tint:#2d2515;--bad-tint:#381f1b}}`;

const text = `*{box-sizing:border-box}html{-webkit-text-size-adjust:100%;scroll-behavior:auto}
body{margin:0 auto;padding:0 clamp(16px,4vw,48px) 48px;max-width:1216px;background:var(--paper);color:var(--ink);overflow-wrap:anywhere;
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif}
code,.mono,.top,.strip,.chip,.verdict,svg text{font-family:ui-monospace,"SF Mono",SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace}
code,.mono,.chip,.strip,.verdict{font-size:.8125rem}
h1,h2,h3,p,ul,dl,dd{margin:0;padding:0}ul{list-style:none}a{color:inherit;text-underline-offset:3px}
h1{font-size:clamp(3rem,11vw,5.5rem);line-height:1;letter-spacing:-.035em;font-weight:700;margin:.3em 0 .18em}
h2{font-size:.8125rem;font-weight:600;letter-spacing:.01em;color:var(--quiet);margin:0 0 12px;padding-top:12px;border-top:1px solid var(--line)}
h3{font-size:.8125rem;font-weight:600;color:var(--quiet);margin:16px 0 6px}
section{margin-top:44px}.quiet,.ms,.side{color:var(--quiet)}.quiet{font-size:.875rem}.ms,time{white-space:nowrap}
.good{color:var(--good)}.note{color:var(--note)}.warn{color:var(--warn)}.bad{color:var(--bad)}
.skip{position:absolute;left:-999px;top:0;padding:8px 12px;background:var(--ink);color:var(--paper)}.skip:focus{left:8px;top:8px}
:focus-visible{outline:3px solid var(--note);outline-offset:2px;border-radius:4px}h2:focus{outline:0}`;

const head = `header{padding-top:28px}.top{display:flex;gap:4px 20px;flex-wrap:wrap;align-items:baseline;font-size:.8125rem;color:var(--quiet)}
.top b{color:var(--ink)}.badge{border:1px solid var(--warn);color:var(--warn);border-radius:4px;padding:0 8px}
.lede{font-size:clamp(1.2rem,3.2vw,1.625rem);line-height:1.35;letter-spacing:-.01em;max-width:36em;margin-bottom:14px}
.alerts li{padding:6px 0}
.legend{display:flex;flex-wrap:wrap;gap:2px 18px;margin-top:14px;font-size:.8125rem}.legend .none{color:var(--quiet)}
footer{margin-top:52px;padding-top:16px;border-top:1px solid var(--line);display:grid;gap:10px}
.command{display:inline-block;background:var(--soft);border:1px solid var(--line);border-radius:5px;padding:2px 9px;margin:2px 0;white-space:pre-wrap}`;

const rows = `details{border:1px solid var(--line);border-left:4px solid var(--quiet);border-radius:6px;background:var(--sheet);margin-bottom:10px}details[class]{color:var(--ink)}
details.good{border-left-color:var(--good)}details.note{border-left-color:var(--note)}details.warn{border-left-color:var(--warn)}details.bad{border-left-color:var(--bad)}
summary{cursor:pointer;padding:13px 16px;list-style:none;position:relative}summary::-webkit-details-marker{display:none}
summary::after{content:"+";position:absolute;right:14px;top:12px;color:var(--quiet);font:1rem/1.5 ui-monospace,monospace}details[open]>summary::after{content:"–"}
.link summary{display:grid;grid-template-columns:7.2rem minmax(0,1fr) auto;gap:4px 16px;align-items:baseline;padding-right:44px}
.verdict{font-weight:700;white-space:nowrap;border-radius:4px;padding:2px 8px;justify-self:start}
.verdict.good{background:var(--good-tint)}.verdict.note{background:var(--note-tint)}.verdict.warn{background:var(--warn-tint)}.verdict.bad{background:var(--bad-tint)}
span.name{display:contents}.ends{grid-column:2/-1;color:var(--quiet);font-size:.875rem}.steps{grid-row:1;grid-column:3;display:grid;grid-template-columns:repeat(4,9rem);gap:2px 12px}.chip.none{color:var(--quiet)}
.past{grid-column:2/-1;display:flex;flex-wrap:wrap;gap:4px 20px;color:var(--quiet);font-size:.8125rem;align-items:center}
.strip{letter-spacing:0;line-height:1.5;display:inline-flex;flex-wrap:wrap;gap:2px}.strip i{font-style:normal;width:1.35em;text-align:center;border-radius:2px;font-weight:700}
.strip .good{background:var(--good-tint)}.strip .note{background:var(--note-tint)}.strip .warn{background:var(--warn-tint)}.strip .bad{background:var(--bad-tint);box-shadow:inset 0 -2px var(--bad)}
.body{padding:2px 16px 16px;border-top:1px solid var(--line)}.finding .body{padding-top:12px}.finding summary{padding-right:44px}.finding summary code{color:var(--quiet)}
.says{margin:0 6px}.fix{display:grid;gap:6px;margin-bottom:12px}.fix li{padding-left:14px;position:relative}.fix li::before{content:"›";position:absolute;left:0;color:var(--quiet)}
table{border-collapse:collapse;width:100%;font-size:.875rem}th,td{text-align:left;vertical-align:baseline;padding:8px 16px 8px 0;border-bottom:1px solid var(--line)}
thead th{font-weight:400;color:var(--quiet);font-size:.8125rem}tbody th{font-weight:600;white-space:nowrap}tbody td:first-child{white-space:nowrap}td.none{color:var(--quiet)}tbody tr:last-child>*{border-bottom:0}
.hops th:first-child{width:9rem}.hops :is(th,td):nth-child(2){width:12rem}
.change{margin-top:16px;padding:10px 14px;background:var(--soft);border-radius:5px}.change dl{margin-top:6px}.change dt{margin-top:6px}.side{display:inline-block;width:2.6em;font-size:.8125rem}
.terms{display:flex;flex-wrap:wrap;gap:6px 32px;margin-top:16px}.terms div{display:flex;gap:10px;align-items:baseline}.terms dt{color:var(--quiet);font-size:.8125rem}`;

/** By tone: whole, long dashes, dots, broken off; the thick ones are those to look at. */
const drawn = `.drawing{background:var(--sheet);border:1px solid var(--line);border-radius:6px;padding:22px 24px 12px}
svg{display:block;width:100%;height:auto;overflow:visible}.tall{display:none;max-width:360px;margin:0 auto}.tall p{margin:18px 0 6px;padding-left:20px}
.box rect{fill:var(--paper);stroke:var(--quiet);stroke-width:1}.box.bad rect{stroke:var(--bad);stroke-width:2.5}.box.warn rect{stroke:var(--warn);stroke-width:2;stroke-dasharray:7 3}
svg text{fill:var(--ink);font-size:12px}svg .name{font-weight:700}svg .cap{fill:var(--quiet);font-size:11px}svg .say,svg .how{font-size:11px;paint-order:stroke;stroke:var(--sheet);stroke-width:4px}svg .how{fill:var(--quiet)}
.edge .line{fill:none;stroke:var(--quiet);stroke-width:1.5}.edge .head{fill:var(--quiet)}
.good .line{stroke:var(--good)}.good .head,svg .say.good,.edge.good .say{fill:var(--good)}
.note .line{stroke:var(--note);stroke-dasharray:9 4}.note .head,svg .say.note,.edge.note .say{fill:var(--note)}
.warn .line{stroke:var(--warn);stroke-dasharray:2 4;stroke-width:2}.warn .head,svg .say.warn,.edge.warn .say{fill:var(--warn)}
.bad .line{stroke:var(--bad);stroke-dasharray:12 3 2 3;stroke-width:2.5}.bad .head,svg .say.bad,.edge.bad .say{fill:var(--bad)}svg .say.bad{font-weight:700}
.none .line{stroke-dasharray:1 6}.edge.none .say,svg .say.none{fill:var(--quiet)}`;

/** A phone gets the drawing upright and tables as blocks; paper gets everything unfolded, black on white. */
const sizes = `@media (max-width:760px){.wide{display:none}.tall{display:block}.drawing{padding:4px 8px 14px}.link summary{grid-template-columns:minmax(0,1fr)}.past,.ends,.steps{grid-column:1;grid-row:auto}.steps{display:flex;flex-wrap:wrap;gap:2px 16px}.says{display:block;margin:6px 0}
thead{position:absolute;clip-path:inset(50%);width:1px;height:1px;overflow:hidden}table,tbody,tr,td,tbody th{display:block;border:0;padding:0}tr{padding:10px 0;border-bottom:1px solid var(--line)}tbody tr:last-child{border:0}
td[data-head]{margin-top:3px;display:grid;grid-template-columns:7.8rem minmax(0,1fr)}td[data-head]::before{content:attr(data-head);color:var(--quiet);font:.8125rem/1.5 system-ui,sans-serif}
.hops tr{display:grid;grid-template-columns:7.8rem minmax(0,1fr);align-items:baseline}.hops td{display:block;margin:0}.hops td::before{content:none}.hops td:last-child{grid-column:1/-1}.hops td:empty{display:none}
.terms{display:block}.terms div{display:grid;grid-template-columns:7.8rem minmax(0,1fr)}}
@media print{:root{--paper:#fff;--sheet:#fff;--soft:#fff;--ink:#000;--quiet:#444;--line:#bbb;--good:#17683a;--note:#0d5c74;--warn:#825000;--bad:#a9231c;--good-tint:#fff;--note-tint:#fff;--warn-tint:#fff;--bad-tint:#fff}
body{max-width:none;padding:0;font-size:11pt}h1{font-size:36pt}details::details-content{content-visibility:visible;display:block;block-size:auto}summary::after,.skip{display:none}details,.change,tr{break-inside:avoid}}
@media (forced-colors:active){.edge .line,.box rect{stroke:CanvasText}svg text{fill:CanvasText;stroke:none}}`;

/** The whole style sheet. It holds nothing that is not ours, so it is put into the page as it is. */
export const style = [tones, text, head, rows, drawn, sizes].join("\n");
