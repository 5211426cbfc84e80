/**
 * Session tokens: JWTs (RFC 7519) signed with Ed25519 (RFC 8037, RFC 8032). Only this server issues them,
 * so the check asks for exactly the bytes that `signJwt` writes, which leaves no room for a second algorithm,
 * an unknown header, a repeated key or another spelling (RFC 8725).
 */
import { sign, verify, type KeyObject } from "node:crypto";

/** Seconds that a token may live, 28 days: NIST SP 800-63B-4 §2.1.3 wants a new sign-in after 30. */
const longestLifetime = 2_419_200;
/** Seconds that clocks may disagree; `nbf` lies so far before `iat`. */
export const clockSkew = 300;

/** In UTF-16 units; ours have about 350. */
const longestToken = 4096;

const tokenForm = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]{86})$/;
const kidForm = /^\d{4}-\d{2}-\d{2}(?:-[1-9]\d{0,5})?$/;
const jtiForm = /^[0-9a-f]{32}$/;
const subForm = /^[2-9A-HJ-NP-Za-km-z]{22}$/;

/** The times are whole seconds since 1970. */
export type SessionClaims = {
  readonly aud: readonly [string];
  readonly exp: number;
  readonly iat: number;
  readonly iss: string;
  /** 32 lower-case hex digits: the session's id. */
  readonly jti: string;
  readonly nbf: number;
  /** 22 characters of base57: the account's public id. */
  readonly sub: string;
};

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

const headerPart = (kid: string): string => encoded({ alg: "EdDSA", kid, typ: "JWT" });

const claimsPart = ({ aud, exp, iat, iss, jti, nbf, sub }: SessionClaims): string =>
  encoded({ aud, exp, iat, iss, jti, nbf, sub });

/** A compact JWS (RFC 7515 §7.1). The key must be an Ed25519 private key. */
export const signJwt = (
  claims: SessionClaims,
  key: { readonly kid: string; readonly privateKey: KeyObject },
): string => {
  const signed = `${headerPart(key.kid)}.${claimsPart(claims)}`;
  return `${signed}.${sign(null, Buffer.from(signed), key.privateKey).toString("base64url")}`;
};

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null;

const parsed = (part: string): Readonly<Record<string, unknown>> | undefined => {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined; // not JSON: a stranger's token, no fault of ours
  }
};

const isTime = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0;

const readKid = (part: string): string | undefined => {
  const kid = parsed(part)?.["kid"];
  return typeof kid === "string" && kidForm.test(kid) && headerPart(kid) === part ? kid : undefined;
};

const readClaims = (part: string): SessionClaims | undefined => {
  const { aud, exp, iat, iss, jti, nbf, sub } = parsed(part) ?? {};
  const audience: unknown = Array.isArray(aud) ? aud[0] : undefined;
  if (typeof audience !== "string" || typeof iss !== "string") return undefined;
  if (!isTime(exp) || !isTime(iat) || !isTime(nbf)) return undefined;
  if (typeof jti !== "string" || !jtiForm.test(jti) || typeof sub !== "string" || !subForm.test(sub)) {
    return undefined;
  }
  const claims: SessionClaims = { aud: [audience], exp, iat, iss, jti, nbf, sub };
  return claimsPart(claims) === part ? claims : undefined;
};

const inTime = ({ exp, iat, nbf }: SessionClaims, now: number): boolean =>
  exp * 1000 > now &&
  nbf * 1000 <= now &&
  nbf <= iat &&
  iat * 1000 <= now + clockSkew * 1000 &&
  iat < exp &&
  exp - iat <= longestLifetime;

const signatureFits = (signed: string, signature: string, key: KeyObject): boolean => {
  if (key.type !== "public" || key.asymmetricKeyType !== "ed25519") return false;
  const bytes = Buffer.from(signature, "base64url");
  // 86 characters have four bits more than 64 bytes: those must be the zeros that we write.
  if (bytes.toString("base64url") !== signature) return false;
  return verify(null, Buffer.from(signed), key, bytes);
};

export type JwtChecks = {
  /** The trusted public key of that id, if there is one. Nothing is ever fetched. */
  key(kid: string): KeyObject | undefined;
  readonly issuer: string;
  readonly audience: string;
  /** Epoch milliseconds. */
  readonly now: number;
};

/** The id of the key that a token says has signed it; undefined when it is no token that we write. */
export const kidOf = (token: string): string | undefined => {
  const [, header] = token.length > longestToken ? [] : (tokenForm.exec(token) ?? []);
  return header === undefined ? undefined : readKid(header);
};

/**
 * The claims of a token that we signed, that is for this audience and in its time; undefined for any other
 * text. Never throws. Whether the session still lives, its row decides.
 */
export const verifyJwt = (token: string, checks: JwtChecks): SessionClaims | undefined => {
  if (token.length > longestToken) return undefined;
  const [, header, payload, signature] = tokenForm.exec(token) ?? [];
  if (header === undefined || payload === undefined || signature === undefined) return undefined;
  const kid = readKid(header);
  const key = kid === undefined ? undefined : checks.key(kid);
  if (key === undefined || !signatureFits(`${header}.${payload}`, signature, key)) return undefined;
  const claims = readClaims(payload);
  if (claims === undefined || claims.iss !== checks.issuer || claims.aud[0] !== checks.audience)
    return undefined;
  return inTime(claims, checks.now) ? claims : undefined;
};
