import { createHash } from "node:crypto";
import { foundAccount } from "./accounts.ts";
import {
  certificateOf,
  credentialsFile,
  type Material,
  newMaterial,
  rawPublicKey,
  uploadedCertificate,
} from "./key-material.ts";
import {
  deleteKey,
  keyOf,
  keysOf,
  type StoredKey,
  type SystemKey,
  saveKey,
  systemKeyOf,
  systemPrivateKey,
} from "./key-store.ts";
import { GoogleError, type RestCall, type Route } from "./rest.ts";
import { projectOf, type StoredAccount } from "./store.ts";

const base = /^\/v1\/projects\/([^/]+)\/serviceAccounts\/([^/:]+)\/keys/.source;
const path = (rest: string): RegExp => new RegExp(`${base}${rest}$`);

/** Keys of service accounts, a part of IAM Admin v1 (google.md 5; messages of the generated client). */
export const keyRoutes: readonly Route[] = [
  { method: "GET", pattern: path(""), operation: "ListServiceAccountKeys", write: false, run: list },
  { method: "POST", pattern: path(""), operation: "CreateServiceAccountKey", write: true, run: create },
  { method: "POST", pattern: path(":upload"), operation: "UploadServiceAccountKey", write: true, run: upload },
  { method: "GET", pattern: path("/([^/:]+)"), operation: "GetServiceAccountKey", write: false, run: get },
  { method: "DELETE", pattern: path("/([^/:]+)"), operation: "DeleteServiceAccountKey", write: true, run: remove },
  {
    method: "POST",
    pattern: path("/([^/:]+):disable"),
    operation: "DisableServiceAccountKey",
    write: true,
    run: (call) => turn(call, "disable"),
  },
  {
    method: "POST",
    pattern: path("/([^/:]+):enable"),
    operation: "EnableServiceAccountKey",
    write: true,
    run: (call) => turn(call, "enable"),
  },
];

const accountFor = (call: RestCall, verb: string): StoredAccount =>
  foundAccount(call, `iam.serviceAccountKeys.${verb}`);

const invalid = (says: string): GoogleError => new GoogleError([400, "INVALID_ARGUMENT"], says);

/** Whole seconds, as in Google's answers. */
const time = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");

const nameOf = ({ project, email }: StoredAccount, id: string): string =>
  `projects/${project}/serviceAccounts/${email}/keys/${id}`;

const shown = (account: StoredAccount, key: StoredKey) => {
  const reason = "SERVICE_ACCOUNT_KEY_DISABLE_REASON_USER_INITIATED";
  return {
    name: nameOf(account, key.id),
    validAfterTime: time(key.validAfter),
    validBeforeTime: time(key.validBefore),
    keyAlgorithm: key.algorithm,
    keyOrigin: key.origin,
    keyType: "USER_MANAGED",
    ...(key.disabled ? { disabled: true, disableReason: reason } : {}),
  };
};

const shownSystem = (account: StoredAccount, key: SystemKey) => ({
  name: nameOf(account, key.id),
  validAfterTime: time(key.validAfter),
  validBeforeTime: time(key.validBefore),
  keyAlgorithm: "KEY_ALG_RSA_2048",
  keyOrigin: "GOOGLE_PROVIDED",
  keyType: "SYSTEM_MANAGED",
});

/** Without a filter all keys are listed, system-managed ones included. */
function list(call: RestCall) {
  const account = accountFor(call, "list");
  const types = call.request.query.getAll("keyTypes");
  const wrong = types.find((one, at) => !/^(USER|SYSTEM)_MANAGED$/.test(one) || types.indexOf(one) !== at);
  if (wrong !== undefined) throw invalid(`Invalid value at 'key_types': ${wrong}`);
  const wants = (type: string): boolean => types.length === 0 || types.includes(type);
  const own = wants("USER_MANAGED") ? keysOf(call.host.view, account).map((key) => shown(account, key)) : [];
  const system = wants("SYSTEM_MANAGED") ? [shownSystem(account, systemKeyOf(account, call.host.now()))] : [];
  const keys = [...own, ...system];
  return keys.length > 0 ? { keys } : {};
}

/** Keys that Google makes do not expire unless an organization policy says so: their end is this date. */
const never = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The private half is in this one answer and nowhere else. */
async function create(call: RestCall) {
  const account = accountFor(call, "create");
  refuseByPolicy(call, account, {
    constraint: "constraints/iam.disableServiceAccountKeyCreation",
    says: "Key creation is not allowed on this service account.",
  });
  const { privateKeyType = "TYPE_GOOGLE_CREDENTIALS_FILE", keyAlgorithm = "KEY_ALG_RSA_2048" } = call.body;
  if (privateKeyType === "TYPE_PKCS12_FILE") throw invalid("The sandbox makes no PKCS12 files: ask for JSON.");
  const algorithm = keyAlgorithm === "KEY_ALG_RSA_1024" ? keyAlgorithm : "KEY_ALG_RSA_2048";
  refuseTooMany(call, account);
  const { host } = call;
  const validity = { validAfter: host.now(), validBefore: never };
  const material = await newMaterial(algorithm === "KEY_ALG_RSA_1024" ? 1024 : 2048, account, validity);
  const id = fingerprint(material);
  const { certificate } = material;
  const key: StoredKey = {
    id,
    account: account.uniqueId,
    algorithm,
    origin: "GOOGLE_PROVIDED",
    certificate,
    ...validity,
  };
  saveKey(host, key);
  // Each form in which the key may turn up in a text is a secret by itself.
  host.secrets.issue(material.privateKey);
  host.secrets.issue(JSON.stringify(material.privateKey).slice(1, -1));
  const file = credentialsFile(account, id, material.privateKey);
  const privateKeyData = host.secrets.issue(Buffer.from(file).toString("base64"));
  return { ...shown(account, key), privateKeyType: "TYPE_GOOGLE_CREDENTIALS_FILE", privateKeyData };
}

const fingerprint = ({ certificate }: Pick<Material, "certificate">): string =>
  createHash("sha1").update(rawPublicKey(certificate)).digest("hex");

/** A certificate over the caller's own key: it is valid as long as the certificate says. */
function upload(call: RestCall) {
  const account = accountFor(call, "upload");
  const subject = `projects/${account.project}/serviceAccounts/${account.email}`;
  const constraint = "constraints/iam.disableServiceAccountKeyUpload";
  refuseByPolicy(call, account, {
    constraint,
    says: `Constraint \`${constraint}\` violated for service account ${subject} attempting to upload public key.`,
  });
  const text = Buffer.from(String(call.body.publicKeyData ?? ""), "base64").toString("utf8");
  const certificate = uploadedCertificate(text);
  if (!certificate) throw invalid("The public key must be an RSA key in an X.509 v3 certificate.");
  const id = fingerprint({ certificate: text });
  if (keyOf(call.host.state, account, id))
    throw new GoogleError([409, "ALREADY_EXISTS"], `Service account key ${id} already exists.`);
  refuseTooMany(call, account);
  const bits = certificate.publicKey.asymmetricKeyDetails?.modulusLength;
  const key: StoredKey = {
    id,
    account: account.uniqueId,
    algorithm: bits === 1024 ? "KEY_ALG_RSA_1024" : "KEY_ALG_RSA_2048",
    origin: "USER_PROVIDED",
    validAfter: Date.parse(certificate.validFrom),
    validBefore: Date.parse(certificate.validTo),
    certificate: text,
  };
  saveKey(call.host, key);
  return shown(account, key);
}

/** Ten user-managed keys at most (google.md 5). The answer is recorded; an older one was 429. */
function refuseTooMany({ host }: RestCall, account: StoredAccount): void {
  if (keysOf(host.state, account).length < 10) return;
  throw new GoogleError([400, "FAILED_PRECONDITION"], "Precondition check failed.");
}

interface Constraint {
  readonly constraint: string;
  readonly says: string;
}

/** The recorded answer of the organization policies that forbid keys. */
function refuseByPolicy({ host }: RestCall, { project, email }: StoredAccount, { constraint, says }: Constraint): void {
  if (!projectOf(host, project).constraints.includes(constraint)) return;
  const subject = `projects/${project}/serviceAccounts/${email}?configvalue=${encodeURIComponent(email)}`;
  throw new GoogleError([400, "FAILED_PRECONDITION"], says, [
    {
      "@type": "type.googleapis.com/google.rpc.PreconditionFailure",
      violations: [{ type: constraint, subject, description: says }],
    },
  ]);
}

/** The public half comes only where it is asked for, as a certificate or raw. */
async function get(call: RestCall) {
  const account = accountFor(call, "get");
  const id = call.parts[2] ?? "";
  const type = call.request.query.get("publicKeyType") ?? "TYPE_NONE";
  const system = systemKeyOf(account, call.host.now());
  const key = id === system.id ? undefined : heldKey(call, account);
  const head = key ? shown(account, key) : shownSystem(account, system);
  if (type === "TYPE_NONE") return head;
  const certificate = key?.certificate ?? (await certificateOf(systemPrivateKey(call.host, account), account, system));
  const data = type === "TYPE_RAW_PUBLIC_KEY" ? rawPublicKey(certificate) : certificate;
  return { ...head, publicKeyData: Buffer.from(data).toString("base64") };
}

/** Google's own keys can be neither switched off nor deleted; the words of that refusal are approximate. */
function heldKey(call: RestCall, account: StoredAccount): StoredKey {
  const id = call.parts[2] ?? "";
  const key = keyOf(call.host.state, account, id);
  if (key) return key;
  if (systemKeyOf(account, call.host.now()).id === id)
    throw new GoogleError([400, "FAILED_PRECONDITION"], `Service account key ${id} is managed by Google.`);
  throw new GoogleError([404, "NOT_FOUND"], `Service account key ${id} does not exist.`);
}

function turn(call: RestCall, verb: "disable" | "enable") {
  const { disabled: _, ...key } = heldKey(call, accountFor(call, verb));
  saveKey(call.host, verb === "disable" ? { ...key, disabled: true } : key);
  return {};
}

function remove(call: RestCall) {
  deleteKey(call.host, heldKey(call, accountFor(call, "delete")));
  return {};
}
