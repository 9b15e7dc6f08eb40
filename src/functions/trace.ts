/** Headers as Node gives them: lower-case names. */
type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The fields by which Cloud Logging shows our lines under the request they belong to; the framework sets none of them
 * and ignores `traceparent` (serverless.md, trap 10). `traceparent` (W3C Trace Context) goes first, then Google's own
 * `x-cloud-trace-context`, whose span is decimal. Empty where neither is well-formed: a line without a trace is better
 * than one under the trace that a caller made up, and without a project there is no name for it.
 */
export function traceFields(headers: Headers, project: string | undefined): Readonly<Record<string, unknown>> {
  const trace = fromW3c(String(headers.traceparent)) ?? fromGoogle(String(headers["x-cloud-trace-context"]));
  if (!trace || !project || /^0+$/.test(trace.id)) return {};
  return {
    "logging.googleapis.com/trace": `projects/${project}/traces/${trace.id}`,
    ...(trace.span && !/^0+$/.test(trace.span) ? { "logging.googleapis.com/spanId": trace.span } : {}),
    "logging.googleapis.com/trace_sampled": trace.sampled,
  };
}

interface Trace {
  readonly id: string;
  /** 16 hex digits. */
  readonly span: string | undefined;
  readonly sampled: boolean;
}

function fromW3c(text: string): Trace | undefined {
  const [, id, span, flags] = /^(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/.exec(text) ?? [];
  return id ? { id, span, sampled: (Number.parseInt(flags ?? "0", 16) & 1) === 1 } : undefined;
}

function fromGoogle(text: string): Trace | undefined {
  const [, id, span, options] = /^([0-9a-f]{32})(?:\/(\d{1,20}))?(?:;o=(\d))?$/i.exec(text) ?? [];
  const hex = span && BigInt.asUintN(64, BigInt(span)).toString(16).padStart(16, "0");
  return id ? { id: id.toLowerCase(), span: hex, sampled: options === "1" } : undefined;
}
