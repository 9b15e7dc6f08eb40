import constraints from "./model/constraints.json" with { type: "json" };

/** The services of AWS whose calls are held against their model. */
export type ServiceName = "iam" | "sts";

/** One shape of a service model, without what only a client needs. */
export interface Shape {
  readonly type: string;
  /** Shape by member name. */
  readonly members?: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  /** Of a list: the shape of what is in it. */
  readonly member?: string;
  /** Characters of a text, entries of a list, or the value of a number. */
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly sensitive?: boolean;
}

interface ServiceModel {
  /** The API version that a Query call names. */
  readonly version: string;
  /** The input shape of every operation that AWS has, played here or not; null for one without input. */
  readonly operations: Readonly<Record<string, string | null>>;
  readonly shapes: Readonly<Record<string, Shape>>;
}

/** Taken from botocore by `npm run models`, which writes source and date beside it. */
export const serviceModels: Readonly<Record<ServiceName, ServiceModel>> = {
  iam: constraints.iam,
  sts: constraints.sts,
};

/** Whether AWS has such an operation, played here or not. */
export const hasOperation = (service: ServiceName, name: string): boolean =>
  Object.hasOwn(serviceModels[service].operations, name);
