import type { FastifyRequest } from "fastify";
import type { IncomingMessage } from "node:http";
import { Refusal, refusals } from "../errors.ts";
import type { ByteBudget } from "../memory/byte-budget.ts";
import { Secret } from "../secret.ts";
import { withoutUnseenAround } from "../text/unseen.ts";
import { parseBasic, type BasicCredentials } from "./basic.ts";
import type { ClientAddress } from "./client-address.ts";
import { inviteBody } from "./bodies/invitation.ts";
import { hasBody } from "./bodies/unread-rest.ts";
import { parseJsonBody, receiveBody, type Receiving } from "./content-encoding.ts";
import { readCookie, type CookieReading } from "./cookie.ts";
import { cameFromElsewhere, isLocalRequest, isOurHost } from "./provenance.ts";

/** What of the set-up a request is judged by. */
export type Surroundings = {
  readonly origin: URL;
  /** Our own origin and those of LATCHKEY_CORS_ORIGINS. */
  readonly allowedOrigins: ReadonlySet<string>;
  readonly clientAddress: (
    socketAddress: string | undefined,
    forwardedFor: string | readonly string[] | undefined,
  ) => ClientAddress;
  /** Of all bodies that are received as a whole. */
  readonly bodies: ByteBudget;
};

const jsonType = /^application\/json\s*(;|$)/i;
const safeMethods: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

/** A request as the rooms see it: only what is needed, read when it is asked for. */
export class Incoming {
  readonly requestId: string;
  /** Headers that the answer will carry, whatever it turns out to be. */
  readonly answerHeaders: Record<string, string> = {};
  readonly #request: FastifyRequest;
  readonly #surroundings: Surroundings;
  #receiving: Receiving | undefined;
  #body: Buffer | undefined;

  constructor(request: FastifyRequest, requestId: string, surroundings: Surroundings) {
    this.#request = request;
    this.#surroundings = surroundings;
    this.requestId = requestId;
  }

  get method(): string {
    return this.#request.method;
  }

  get accept(): string {
    return this.#request.headers.accept ?? "";
  }

  get userAgent(): string {
    return this.#request.headers["user-agent"] ?? "";
  }

  /** Codings of an answer that the client can undo, by their names. Weights are not looked at but for `q=0`. */
  accepts(coding: "br" | "gzip"): boolean {
    const header = this.#request.headers["accept-encoding"];
    if (typeof header !== "string") return false;
    return header.split(",").some((entry) => {
      const [name, ...parameters] = entry.split(";").map((part) => part.trim().toLowerCase());
      return name === coding && !parameters.some((parameter) => /^q=0(\.0*)?$/.test(parameter));
    });
  }

  /** Whether the call was made on this machine, for this machine: what is there in local mode only asks this. */
  get isLocal(): boolean {
    return isLocalRequest({
      origin: this.#surroundings.origin,
      host: this.#host(),
      socketAddress: this.#request.socket.remoteAddress,
      rawHeaders: this.#request.raw.rawHeaders,
    });
  }

  /** Where the call comes from, as far as it can be believed; `network` groups neighbours for limits. */
  get client(): ClientAddress {
    return this.#surroundings.clientAddress(
      this.#request.socket.remoteAddress,
      this.#request.headers["x-forwarded-for"],
    );
  }

  /** The varying parts of the path, by the router's names, decoded. */
  get pathValues(): Readonly<Record<string, string>> {
    const { params } = this.#request;
    if (typeof params !== "object" || params === null) return {};
    return Object.fromEntries(
      Object.entries(params).filter((entry): entry is [string, string] => typeof entry[1] === "string"),
    );
  }

  /** One value of the query; undefined when it is absent, given twice, or nested. */
  query(name: string): string | undefined {
    const { query } = this.#request;
    const value: unknown = typeof query === "object" && query !== null ? Reflect.get(query, name) : undefined;
    return typeof value === "string" ? value : undefined;
  }

  /** Every value of the query, by its name as it was sent (`tags[plan]` stays one name). */
  get queryEntries(): readonly (readonly [string, string])[] {
    const { query } = this.#request;
    if (typeof query !== "object" || query === null) return [];
    return Object.entries(query).flatMap(([name, value]: [string, unknown]) =>
      (Array.isArray(value) ? value : [value])
        .filter((one): one is string => typeof one === "string")
        .map((one) => [name, one] as const),
    );
  }

  /**
   * How often a header was sent. Of some Node keeps the first one and drops the rest; a proxy in front of us may have
   * judged by another.
   * @param name in lower case
   */
  #times(name: string): number {
    const { rawHeaders } = this.#request.raw;
    let times = 0;
    for (let index = 0; index < rawHeaders.length; index += 2) {
      const sent = rawHeaders[index];
      if (sent?.length === name.length && sent.toLowerCase() === name) times += 1;
    }
    return times;
  }

  /** A header that is sent once; undefined otherwise. @param name in lower case */
  header(name: string): string | undefined {
    if (this.#times(name) > 1) return undefined;
    const value = this.#request.headers[name];
    return typeof value === "string" ? value : undefined;
  }

  /** The request itself, and its headers as they came. */
  get stream(): IncomingMessage {
    return this.#request.raw;
  }

  /** The request, for a route that takes the body as a stream; a client that waits to be asked for it is asked. */
  takeStream(): IncomingMessage {
    inviteBody(this.#request.raw);
    return this.#request.raw;
  }

  /**
   * Takes what comes of the body meanwhile, while it is being found out who sends it: in one piece and within the
   * budget. Whoever waits to be asked for it is not asked.
   * @param limit in bytes
   */
  beginBody(limit: number): void {
    const { raw } = this.#request;
    if (this.#receiving !== undefined || !hasBody(raw.headers)) return;
    this.#receiving = receiveBody(raw, {
      contentEncoding: raw.headers["content-encoding"],
      contentLength: raw.headers["content-length"],
      limit,
      budget: this.#surroundings.bodies,
    });
  }

  /**
   * Waits for the body as a whole, for `json`.
   * @throws Refusal as `Receiving.whole` does
   */
  async receiveBody(limit: number): Promise<void> {
    inviteBody(this.#request.raw);
    this.beginBody(limit);
    this.#body = await this.#receiving?.whole;
  }

  /** Gives back what the body held, whether it had come or not, and leaves nothing of it: passwords may be in it. */
  leaveBody(): void {
    this.#body?.fill(0);
    this.#body = undefined;
    this.#receiving?.leave();
    this.#receiving = undefined;
  }

  /**
   * What follows `Bearer` in the Authorization header (RFC 6750 §2.1), or the bare header, as some clients send it. Never
   * logged.
   */
  bearer(): Secret | "missing" | "malformed" {
    const header = this.#request.headers.authorization;
    if (header === undefined) return "missing";
    if (this.#times("authorization") > 1) return "malformed";
    // Node reads each byte as a character, and what can't be seen is several bytes.
    const text = Buffer.from(header, "latin1").toString("utf8");
    const token = withoutUnseenAround(text.replace(/^Bearer +/i, ""));
    return /^[\x21-\x7e]{1,512}$/.test(token) ? new Secret(token) : "malformed";
  }

  /** The Authorization header; undefined when there is none. */
  basic(): BasicCredentials | "malformed" | undefined {
    return parseBasic(this.#request.raw.rawHeaders, this.#request.headers.authorization);
  }

  /**
   * The cookie, under the two rules that go with it: it counts only on our own host name, and a write with
   * it must not come from another site. Reading it is checking it, so no route can forget to.
   * @throws Refusal host_unknown, cross_site
   */
  cookie(name: string): CookieReading {
    const reading = readCookie(this.#request.headers.cookie, name);
    if (reading.kind === "none") return reading;
    this.refuseOtherHosts();
    if (!safeMethods.has(this.#request.method)) this.refuseOtherSites();
    return reading;
  }

  /** For pages, and for whatever trusts a cookie. @throws Refusal host_unknown */
  refuseOtherHosts(): void {
    const { origin } = this.#surroundings;
    if (isOurHost(this.#host(), origin)) return;
    const came = this.sentHost ?? "none that can be read";
    throw new Refusal(refusals.host_unknown, {
      text: `This host name is not served here (${came}); use the configured origin, ${origin.origin}. If you do, a proxy in front of this server must pass on the Host header as it came`,
    });
  }

  /** The Host header, if it looks like one: for whoever has to find out which way a request took. */
  get sentHost(): string | undefined {
    const { host } = this.#request.headers;
    return host !== undefined && /^[A-Za-z0-9._[\]:-]{1,255}$/.test(host) ? host : undefined;
  }

  /**
   * Undefined when it was sent twice: Node keeps the first one, a proxy in front of us may have judged by the other.
   * So it is when the request's target names another host, which then is the one that was meant (RFC 9112 §3.2.2).
   */
  #host(): string | undefined {
    const { url = "" } = this.#request.raw;
    if (!url.startsWith("/") && !isOurHost(URL.parse(url)?.host, this.#surroundings.origin)) return undefined;
    return this.#times("host") === 1 ? this.#request.headers.host : undefined;
  }

  /** @throws Refusal cross_site */
  refuseOtherSites(): void {
    const elsewhere = cameFromElsewhere({
      origin: this.#request.headers.origin,
      secFetchSite: this.#request.headers["sec-fetch-site"],
      allowedOrigins: this.#surroundings.allowedOrigins,
    });
    if (elsewhere) throw new Refusal(refusals.cross_site);
  }

  /**
   * The JSON body, when it was received; undefined when the request has none.
   * @throws Refusal content_type_unsupported, json_invalid
   */
  json(): unknown {
    const body = this.#body;
    if (body === undefined || body.length === 0) return undefined;
    if (!jsonType.test(this.header("content-type") ?? "")) {
      throw new Refusal(refusals.content_type_unsupported);
    }
    return parseJsonBody(body);
  }
}
