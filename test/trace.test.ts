import { expect, test } from "vitest";
import { traceFields } from "../src/functions/trace.ts";

// The two headers by which a log line is shown under its request (serverless.md, 7; W3C Trace Context, 3.2).

const id = "0af7651916cd43dd8448eb211c80319c";
const [trace, span, sampled] = ["trace", "spanId", "trace_sampled"].map((name) => `logging.googleapis.com/${name}`);

test.each([
  ["traceparent", { traceparent: `00-${id}-b7ad6b7169203331-01` }, "b7ad6b7169203331", true],
  ["not sampled", { traceparent: `00-${id}-b7ad6b7169203331-00` }, "b7ad6b7169203331", false],
  ["a later version", { traceparent: `01-${id}-b7ad6b7169203331-01-more` }, "b7ad6b7169203331", true],
  ["Google's, its span decimal", { "x-cloud-trace-context": `${id}/1;o=1` }, "0000000000000001", true],
  ["Google's, without a span", { "x-cloud-trace-context": id }, undefined, false],
  [
    "both: the standard's goes first",
    { traceparent: `00-${id}-b7ad6b7169203331-01`, "x-cloud-trace-context": "x" },
    "b7ad6b7169203331",
    true,
  ],
])("%s", (_, headers, wanted, taken) => {
  const fields = traceFields(headers, "acme-prod");
  expect([fields[trace!], fields[span!], fields[sampled!]]).toEqual([`projects/acme-prod/traces/${id}`, wanted, taken]);
});

test.each([
  ["none", {}],
  ["zeros", { traceparent: `00-${"0".repeat(32)}-b7ad6b7169203331-01` }],
  ["version ff", { traceparent: `ff-${id}-b7ad6b7169203331-01` }],
  ["something else", { "x-cloud-trace-context": `../../${id}` }],
])("%s: no trace", (_, headers) => expect(traceFields(headers, "acme-prod")).toEqual({}));

test("without a project there is no name for a trace", () => {
  expect(traceFields({ traceparent: `00-${id}-b7ad6b7169203331-01` }, undefined)).toEqual({});
});
