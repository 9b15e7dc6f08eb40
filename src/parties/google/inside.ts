import type { Identity } from "../../model.ts";

/** Claims of the workload as the file declares them; a pattern of subjects as it stands. */
export function insideOf(identity: Identity): readonly Readonly<Record<string, unknown>>[] {
  if (identity.proof === "aws4_request") return [{ ...identity.example }];
  const { sub, ...others } = identity.claims;
  const plain = Object.fromEntries(
    Object.entries(others).flatMap(([claim, value]) => {
      const [first] = [value].flat();
      return typeof first === "string" && claim !== "aud" ? [[claim, first] as const] : [];
    }),
  );
  const subjects = [...[sub ?? []].flat().filter((one) => typeof one === "string"), ...(identity.like ?? [])];
  return subjects.length > 0 ? subjects.map((one) => ({ ...plain, sub: one })) : [plain];
}
