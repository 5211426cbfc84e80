import { isPath } from "../model/answer-body.ts";
import { addressBreaches, requestBreaches } from "./breaches-of-requests.ts";
import { fieldBreaches } from "./breaches-of-fields.ts";
import { patternFault } from "../model/pattern.ts";
import { inProcess, type Provider, type Shape } from "../model/provider.ts";
import type { PathFault } from "./schema-faults.ts";

/** What a provider's file may not say although each part of it has the right form. */

type Path = readonly (string | number)[];

const at = (path: Path, message: string): PathFault => ({ path, part: "value", message });

const fieldsOfMode: Readonly<Record<Provider["auth_mode"], readonly string[]>> = {
  BASIC: ["username", "password"],
  API_KEY: ["apiKey"],
  NONE: [],
};

const fieldNameBreaches = (provider: Provider, shape: Shape, path: Path): readonly PathFault[] => {
  const wanted = fieldsOfMode[provider.auth_mode];
  const names = Object.keys(shape.fields);
  const said = wanted.length === 0 ? "no fields" : `the fields ${wanted.join(" and ")}`;
  return [
    ...names
      .filter((name) => !wanted.includes(name))
      .map((name): PathFault => ({
        path: [...path, "fields", name],
        part: "key",
        message: `is no field of ${provider.auth_mode}, whose shapes have ${said}.`,
      })),
    ...wanted
      .filter((name) => !names.includes(name))
      .map((name) => at([...path, "fields"], `must have the field ${name}, as ${provider.auth_mode} does.`)),
  ];
};

const swapBreaches = (provider: Provider, shape: Shape, path: Path): readonly PathFault[] => {
  const { swap } = shape;
  if (swap === undefined) return [];
  const into = provider.shapes.find(({ name }) => name === swap.into);
  const faults: PathFault[] = [];
  if (into === undefined || into === shape) {
    faults.push(at([...path, "swap", "into"], "must be the name of another shape."));
  } else {
    const field = Object.hasOwn(into.fields, swap.field) ? into.fields[swap.field] : undefined;
    if (field === undefined || field.hidden) {
      faults.push(
        at([...path, "swap", "field"], `must be a field of the shape ${into.name} that is not hidden.`),
      );
    }
    const others = Object.entries(into.fields).filter(([name]) => name !== swap.field);
    if (others.some(([, { default: standard }]) => standard === undefined)) {
      faults.push(at([...path, "swap", "into"], "must be a shape whose other fields have defaults."));
    }
    if (into.swap !== undefined)
      faults.push(at([...path, "swap", "into"], "must be a shape without a swap."));
  }
  if (!isPath(swap.read)) faults.push(at([...path, "swap", "read"], "must be a path like data.token."));
  if (provider.verification === undefined) {
    faults.push(at([...path, "swap"], "needs a verification, whose answer it reads."));
  }
  return faults;
};

const shapeBreaches = (provider: Provider): readonly PathFault[] => {
  const { shapes } = provider;
  const recommended = shapes.filter((shape) => shape.recommended).length;
  return [
    ...(shapes.length > 1 && recommended !== 1
      ? [at(["shapes"], `must have one shape with recommended: true, not ${recommended}.`)]
      : []),
    ...shapes.flatMap((shape, index) => {
      const path = ["shapes", index];
      const first = shapes.findIndex(({ name }) => name === shape.name);
      return [
        ...(first < index ? [at([...path, "name"], `is there twice: ${shape.name}.`)] : []),
        ...fieldNameBreaches(provider, shape, path),
        ...swapBreaches(provider, shape, path),
        ...fieldBreaches(provider, shape.fields, [...path, "fields"]),
      ];
    }),
  ];
};

/** Names that calls of the wire use for themselves. */
const taken = {
  connection_config: ["webhook_url"],
  integration_config: ["base_url", "keep_password"],
} as const;

const configBreaches = (provider: Provider, name: keyof typeof taken): readonly PathFault[] => [
  ...taken[name]
    .filter((one) => Object.hasOwn(provider[name], one))
    .map((one): PathFault => ({ path: [name, one], part: "key", message: "is a name that is taken." })),
  ...fieldBreaches(provider, provider[name], [name]),
];

const headerName = /^[!#$%&'*+.^_`|~\da-z-]+$/i;

const outcomeBreaches = ({ outcomes, retry }: Provider): readonly PathFault[] => [
  ...outcomes.flatMap(({ when }, index) => {
    const path = ["outcomes", index, "when"];
    const faults: PathFault[] = [];
    if (Object.keys(when).length === 0) {
      faults.push(at(path, "must have a status, a body or a header: without one it fits every answer."));
    }
    if (when.body !== undefined && !isPath(when.body.path)) {
      faults.push(at([...path, "body", "path"], "must be a path like error.code."));
    }
    if (when.header !== undefined && !headerName.test(when.header.name)) {
      faults.push(at([...path, "header", "name"], "must be the name of a header."));
    }
    for (const part of ["body", "header"] as const) {
      const fault = when[part] === undefined ? undefined : patternFault(when[part].matches);
      if (fault !== undefined) faults.push(at([...path, part, "matches"], `${fault}.`));
    }
    return faults;
  }),
  ...(["after", "at"] as const).flatMap((part) =>
    retry[part].flatMap((name, index) =>
      headerName.test(name) ? [] : [at(["retry", part, index], "must be the name of a header.")],
    ),
  ),
];

const verificationBreaches = ({ auth_mode: mode, verification }: Provider): readonly PathFault[] => {
  if (verification === undefined) {
    return mode === "NONE"
      ? []
      : [
          at(
            ["verification"],
            "is missing: without it nobody knows whether credentials work, and whose they are.",
          ),
        ];
  }
  const { id, name, email, workspace } = verification.account;
  const paths: readonly (readonly [path: Path, text: string])[] = [
    [["id"], id],
    ...Object.entries({ name, email, workspace }).flatMap(([part, texts]) =>
      texts.map((text, index) => [[part, index], text] as const),
    ),
  ];
  return [
    ...paths
      .filter(([, text]) => !isPath(text))
      .map(([path]) => at(["verification", "account", ...path], "must be a path like data.user.id.")),
    ...(verification.body !== undefined && verification.method === "GET"
      ? [at(["verification", "body"], "is for POST only.")]
      : []),
  ];
};

const guideBreaches = ({ guide }: Provider): readonly PathFault[] =>
  guide.flatMap(({ anchor }, index) =>
    guide.findIndex((section) => section.anchor === anchor) < index
      ? [at(["guide", index, "anchor"], `is there twice: ${anchor}.`)]
      : [],
  );

const ownApi = "/api/v9/";

const inProcessBreaches = ({ base_url: baseUrl, paths, verification }: Provider): readonly PathFault[] => [
  ...(baseUrl === inProcess && !paths?.every((path) => path.startsWith(ownApi))
    ? [at(["base_url"], `needs paths that all begin with ${ownApi}.`)]
    : []),
  ...(verification?.base_url === inProcess
    ? [at(["verification", "base_url"], "must start with https://.")]
    : []),
];

export const breaches = (provider: Provider): readonly PathFault[] => [
  ...shapeBreaches(provider),
  ...configBreaches(provider, "connection_config"),
  ...configBreaches(provider, "integration_config"),
  ...addressBreaches(provider),
  ...requestBreaches(provider),
  ...verificationBreaches(provider),
  ...outcomeBreaches(provider),
  ...guideBreaches(provider),
  ...inProcessBreaches(provider),
];
