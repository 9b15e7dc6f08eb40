/**
 * The words of crosstrust: types, and the builders of findings. It imports nothing and is imported by everyone.
 *
 * A link joins two parties. The issuer gives an identity, the relying party turns it into resources;
 * resources held against live give a plan; applying it and proving the link gives a trace; whatever is wrong
 * anywhere is a finding. `World` carries all I/O. Nothing else is a concept: drift is a cause on a change,
 * health an empty plan with good traces, destroy a plan in which nothing is desired (house.md).
 *
 * To learn them, read in this order: basics, file (what the user wrote), resource (what must exist, and what
 * does), change, proof, finding, report, party (what a cloud must be able to do), world (the only way out), memory
 * (what outlives a run).
 */
export type * from "./model/basics.ts";
export type * from "./model/change.ts";
export type * from "./model/codes.ts";
export type * from "./model/file.ts";
export type * from "./model/finding.ts";
export { acceptLine, finding, remark, unreadAsks } from "./model/finding.ts";
export type * from "./model/memory.ts";
export type * from "./model/message.ts";
export { layers, shared, tells, wraps } from "./model/message.ts";
export { type Near, nearMiss } from "./model/near.ts";
export { distance, nearest } from "./model/nearest.ts";
export type * from "./model/party.ts";
export type * from "./model/proof.ts";
export { verdicts } from "./model/proof.ts";
export type * from "./model/report.ts";
export type * from "./model/resource.ts";
export { ascii, unicodeEscape, visible, withoutHidden } from "./model/text.ts";
export type * from "./model/world.ts";
