import { type FakeAnswer, json } from "../../../sandbox/fake.ts";

/** An error of the token exchange: OAuth's shape, 400 unless another status is known (google.md 9.2). */
export class StsError extends Error {
  readonly error: string;
  readonly status: number;

  constructor(error: string, description: string, status = 400) {
    super(description);
    this.error = error;
    this.status = status;
  }

  answer(): FakeAnswer {
    return json(this.status, { error: this.error, error_description: this.message });
  }
}

export const badRequest = (says: string, error = "invalid_request"): StsError => new StsError(error, says);
export const grantRefused = (says: string): StsError => new StsError("invalid_grant", says);
