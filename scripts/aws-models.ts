import { execFileSync } from "node:child_process";
import { globSync, readFileSync, writeFileSync } from "node:fs";
import { join, sep } from "node:path";
import { gunzipSync } from "node:zlib";

// `npm run models [-- DATA]`: writes what the sandbox knows of AWS's service models, from botocore's JSON
// (Apache-2.0), which comes with the aws CLI. DATA is botocore's `data` folder; python3's own where left out.

interface Shape {
  readonly type: string;
  readonly required?: readonly string[];
  readonly members?: Readonly<Record<string, Member>>;
  readonly member?: Member;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
}

interface Member {
  readonly shape: string;
  readonly location?: string;
  readonly locationName?: string;
}

interface Model {
  readonly metadata: {
    readonly apiVersion: string;
    readonly endpointPrefix: string;
    readonly protocol: string;
    readonly serviceId: string;
    readonly signingName?: string;
  };
  readonly operations: Readonly<
    Record<string, { readonly input?: Member; readonly http: { readonly method: string; readonly requestUri: string } }>
  >;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** REST services whose operations are named, by signing name; of any other one the method and the path are shown. */
const restNamed = new Set([
  ...["s3", "lambda", "route53", "cloudfront", "eks", "apigateway", "access-analyzer", "batch", "ses", "xray"],
  ...["elasticfilesystem", "backup", "ram", "rolesanywhere", "awsssoportal", "sso-oauth", "bedrock"],
]);

const here = join(import.meta.dirname, "..", "src", "parties", "aws", "sandbox", "model");
const python = (what: string) =>
  execFileSync("python3", ["-c", `import botocore; print(${what})`], { encoding: "utf8" });
const data = process.argv[2] ?? join(python("botocore.__path__[0]").trim(), "data");
const version = /__version__ = '([^']+)'/.exec(readFileSync(join(data, "..", "__init__.py"), "utf8"))?.[1];
const source = {
  package: "botocore",
  version,
  license: "Apache-2.0",
  extracted: new Date().toISOString().slice(0, 10),
};

/** The newest model of every service. */
function models(): ReadonlyMap<string, Model> {
  const files = globSync("*/*/service-2.json*", { cwd: data }).sort();
  const newest = new Map(files.map((file) => [file.split(sep)[0] ?? "", file]));
  const read = (file: string) => {
    const bytes = readFileSync(join(data, file));
    return JSON.parse((file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8")) as Model;
  };
  return new Map([...newest].map(([name, file]) => [name, read(file)]));
}

/** What the inputs of a service's operations must be: shapes without their documentation, and the version. */
function constraints(model: Model | undefined) {
  if (!model) throw new Error(`no model of it in ${data}`);
  const shapes: Record<string, object> = {};
  const take = (name: string): void => {
    const shape = model.shapes[name];
    if (!shape || shapes[name]) return;
    const { type, required, min, max, pattern, enum: values, sensitive } = shape;
    const members = Object.entries(shape.members ?? {}).map(([key, member]) => [key, member.shape] as const);
    const inner = shape.member?.shape;
    shapes[name] = {
      type,
      ...(members.length > 0 ? { members: Object.fromEntries(members) } : {}),
      ...(required?.length ? { required } : {}),
      ...(inner ? { member: inner } : {}),
      min,
      max,
      pattern,
      enum: values,
      sensitive,
    };
    for (const next of [...members.map(([, shape]) => shape), ...(inner ? [inner] : [])]) take(next);
  };
  const operations = Object.entries(model.operations).map(([name, { input }]) => {
    if (input) take(input.shape);
    return [name, input?.shape ?? null] as const;
  });
  return { version: model.metadata.apiVersion, operations: Object.fromEntries(operations), shapes };
}

/** How a REST operation is told from others: method, path, and the members without which it cannot be sent. */
function restRows(model: Model): readonly string[] {
  return Object.entries(model.operations).map(([name, { input, http }]) => {
    const shape = input && model.shapes[input.shape];
    const needed = (shape?.required ?? []).flatMap((member) => {
      const { location, locationName = member } = shape?.members?.[member] ?? {};
      return location === "querystring" ? [`?${locationName}`] : location === "header" ? [`:${locationName}`] : [];
    });
    return [name, http.method, http.requestUri, ...needed].join(" ");
  });
}

const all = models();
const write = (file: string, content: object) => writeFileSync(join(here, file), JSON.stringify(content));
write("constraints.json", { source, iam: constraints(all.get("iam")), sts: constraints(all.get("sts")) });

const names: Record<string, string> = {};
const rest: Record<string, Record<string, readonly string[]>> = {};
for (const [folder, model] of all) {
  const { endpointPrefix, signingName = endpointPrefix, serviceId, protocol } = model.metadata;
  // Several services sign under one name: the one that is called so, else the one with the shortest name.
  const shorter = serviceId.length < (names[signingName] ?? "").length;
  if (!names[signingName] || folder === signingName || (shorter && !all.has(signingName)))
    names[signingName] = serviceId;
  if (restNamed.has(signingName) && protocol.startsWith("rest"))
    rest[signingName] = { ...rest[signingName], [serviceId]: restRows(model) };
}
write("services.json", { source, names, rest });
execFileSync("npx", ["biome", "format", "--write", here], { stdio: "ignore" });
process.stdout.write(`models of botocore ${version}: ${all.size} services\n`);
