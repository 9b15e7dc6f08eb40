import * as commands from "@aws-sdk/client-iam";
import { IAMClient, type ServiceInputTypes } from "@aws-sdk/client-iam";
import { account, type Bench } from "./bench.ts";

/** Somebody else with AWS's own SDK: hand edits that are not ours. */
export class Somebody {
  private readonly bench: Bench;

  constructor(bench: Bench) {
    this.bench = bench;
  }

  async iam(operation: string, input: ServiceInputTypes | Record<string, unknown>): Promise<Record<string, unknown>> {
    const { secrets } = await this.bench.world().credentials({ party: "aws", scope: account });
    const credentials = { accessKeyId: secrets.accessKeyId ?? "", secretAccessKey: secrets.secretAccessKey ?? "" };
    const client = new IAMClient({ region: "us-east-1", endpoint: `${this.bench.url}/aws/iam`, credentials });
    const Command = (commands as unknown as Record<string, new (input: unknown) => never>)[`${operation}Command`];
    if (!Command) throw new Error(`no ${operation}`);
    return (await client.send(new Command(input))) as unknown as Record<string, unknown>;
  }

  /** A trust policy for Google with these conditions; none means none at all. */
  async trust(condition: Record<string, unknown> | undefined, role = "reports-reader"): Promise<void> {
    const Statement = [
      {
        Effect: "Allow",
        Principal: { Federated: "accounts.google.com" },
        Action: "sts:AssumeRoleWithWebIdentity",
        ...(condition ? { Condition: condition } : {}),
      },
    ];
    await this.document({ Version: "2012-10-17", Statement }, role);
  }

  async document(document: unknown, role = "reports-reader"): Promise<void> {
    await this.iam("UpdateAssumeRolePolicy", { RoleName: role, PolicyDocument: JSON.stringify(document) });
  }

  async role(name = "reports-reader"): Promise<Record<string, unknown>> {
    return (await this.iam("GetRole", { RoleName: name })).Role as Record<string, unknown>;
  }
}
