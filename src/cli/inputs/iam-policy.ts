import { isMap } from "../../judge/aws/policy.ts";
import { type IamPolicy, policySchema } from "../../parties/google/policies.ts";
import { UsageError } from "../exit.ts";
import { whatIs } from "./documents.ts";
import { given, structureIn } from "./text.ts";

/** Reads what `gcloud .. get-iam-policy` prints, in JSON or YAML. Throws a `UsageError` that says what any other text is. */
export function iamPolicyIn(path: string): IamPolicy {
  const { text, name } = given(path);
  const value = structureIn(text);
  // A policy without bindings has an etag alone.
  const fits =
    isMap(value) && (Array.isArray(value.bindings) || Object.keys(value).every((key) => /^(etag|version)$/.test(key)));
  const found = fits && Object.keys(value).length > 0 ? policySchema.safeParse(value) : undefined;
  if (found?.success) return found.data;
  throw new UsageError(
    `${name} holds no IAM policy of google: it ${whatIs(text)}. crosstrust takes what gcloud iam service-accounts get-iam-policy EMAIL prints`,
  );
}
