import { z } from "zod";
import { newHexId, type Random } from "../../kernel/ids.ts";
import { Secret } from "../../kernel/secret.ts";
import type { Environment, KeyHolder } from "./environment.ts";

const texts = z.record(z.string(), z.string());

/** What the app said when it made the session. */
export const sessionTerms = z.object({
  endUser: z
    .object({
      id: z.string(),
      email: z.string().nullable(),
      displayName: z.string().nullable(),
      tags: texts.nullable(),
      organization: z.object({ id: z.string(), displayName: z.string().nullable() }).nullable(),
    })
    .nullable(),
  /** The app's own tags, in lower case. */
  tags: texts,
  /** Keys of integrations; empty: all. */
  allowedIntegrations: z.array(z.string()),
  /** By integration key: values of the connection's configuration that nobody is asked for. Empty: it is sealed. */
  configDefaults: z.record(z.string(), texts),
  /** Those that are secret, opened by vault.ts. */
  sealedDefaults: z.string().nullable().default(null),
  /** By integration key: another guide than the catalogue's. */
  docs: texts,
  webhookUrlOverride: z.string().nullable(),
  /** Narrows the environment's origins; empty: those. */
  allowedOrigins: z.array(z.string()),
  /** Where the form leads back to, once it was opened as a link and has linked an account. */
  redirectUrl: z.string().nullable().default(null),
});

export type SessionTerms = z.infer<typeof sessionTerms>;

/** A person's turn at the form: thirty minutes, ten wrong tries, one success. */
export type ConnectSession = {
  readonly id: number;
  /** Of its token. */
  readonly digest: string;
  readonly environment: Environment;
  readonly terms: SessionTerms;
  /** The connection to link anew; null for a first time. */
  readonly connectionRow: number | null;
  readonly tries: number;
  readonly expiresAt: number;
  readonly finishedAt: number | null;
};

/** An app, or a person in front of its form. */
export type Caller =
  | { readonly kind: "key"; readonly holder: KeyHolder }
  | { readonly kind: "session"; readonly session: ConnectSession };

/** The environment that a caller stands in. */
export const environmentOfCaller = (caller: Caller): Environment =>
  caller.kind === "key" ? caller.holder.environment : caller.session.environment;

export const mostTries = 10;

const tokenForm = /^nango_connect_session_[0-9a-f]{64}$/;

export const isSessionToken = (text: string): boolean => tokenForm.test(text);

/** The original's form, which its SDKs hand on as it is: 256 random bits. */
export const newSessionToken = (random: Random): Secret =>
  new Secret(`nango_connect_session_${newHexId(random)}${newHexId(random)}`);
