import { expect, test } from "vitest";
import { bench } from "./support/bench.ts";
const list = `[${Array.from({ length: 20 }, (_, at) => at).join(",")}]`;
const nested = (macro: string, inner: string) => Array.from({ length: 8 }).reduce<string>((text, _, at) => `${list}.${macro}(x${at}, ${text})`, inner);
const file = (n: number) => `crosstrust: 1
name: acme
links:
${Array.from({ length: n }, (_, at) => `  link-${at}:
    from: { aws: { account: 123456789000, role: role-${at} } }
    to: { google: { project: acme-prod, pool: partners, poolProvider: prov-${at}, serviceAccount: sink-${at} } }
`).join("")}`;
test("x", async () => {
  const b = await bench();
  const f = file(21);
  let t = performance.now();
  await b.apply(f);
  console.log("apply", performance.now() - t);
  t = performance.now();
  let h = await b.health(f);
  console.log("health", performance.now() - t, h.verdict);
  const p = "iam/v1/projects/acme-prod/locations/global/workloadIdentityPools/partners/providers/prov-7?updateMask=attributeCondition";
  for (const c of [nested("all", "true"), nested("exists", "false"), nested("map", "1") + ".size() > 0", `assertion.arn.startsWith('arn:aws:sts::123456789000:assumed-role/role-7/') && ${nested("all","true")}`]) {
    const answer = await b.google("PATCH", p, { attributeCondition: c });
    expect(answer.status).toBe(200);
    t = performance.now();
    h = await b.health(f);
    console.log("health", performance.now() - t, h.verdict, JSON.stringify(h.links.map((l: any) => l.verdict)));
    console.log(h.findings.map((x: any) => [x.code, x.says, x.severity, x.links].join(" | ")).join("\n"));
  }
  const own = f.replace("poolProvider: prov-7,", `poolProvider: prov-7, condition: "${nested("all", "assertion.arn != 'x'")}",`);
  t = performance.now();
  const a = await b.apply(own, { consents: { widen: ["link-7"], allowWiden: ["link-7"] } as never });
  console.log("apply", performance.now() - t, a.applied.findings.map((x: any) => x.code + x.says), a.planned.plan.findings.map((x: any) => [x.code, x.severity, x.says]));
  t = performance.now();
  h = await b.health(own);
  console.log("health", performance.now() - t, h.verdict, JSON.stringify(h.links.map((l: any) => l.verdict)));
  console.log(JSON.stringify(h.links[7]?.hops));
}, 120000);
