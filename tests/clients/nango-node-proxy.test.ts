import { readFileSync } from "node:fs";
import { Nango } from "@nangohq/node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { askedAt, injected } from "../support/proxied.ts";
import { backEnd, refused, startSdkHouse, type SdkHouse, type SdkScene } from "../support/sdk-scene.ts";

/** The published SDK for back ends, as it is: calls of providers, and calls of what is not here. */

let all: SdkHouse;
beforeAll(async () => {
  all = await startSdkHouse();
});
afterAll(() => all.stop());

const open = async (): Promise<SdkScene & { readonly nango: Nango }> => {
  const scene = await all.scene();
  return { ...scene, nango: backEnd(all, scene) };
};

const sentence = expect.stringMatching(/\w+ \w+/);

const methods = ["get", "post", "put", "patch", "delete"] as const;

describe("the proxy", () => {
  test.for(methods)("%s, with the query, headers and body of the call", async (method) => {
    const { nango, link } = await open();
    const endpoint = `/echo-${method}`;
    all.upstream.answers(endpoint, {
      status: 202,
      headers: { "content-type": "application/json", "x-toggl-quota-remaining": "29" },
      body: '{"done":true}',
    });
    const { status, data, headers } = await nango[method]({
      endpoint,
      providerConfigKey: "toggl",
      connectionId: await link(),
      params: { a: "1", b: "two words" },
      headers: { "X-Own": "mine" },
      ...(method === "get" ? {} : { data: { hello: "world" } }),
    });

    expect([status, data, headers["x-toggl-quota-remaining"]]).toEqual([202, { done: true }, "29"]);
    const [asked] = askedAt(all.upstream, endpoint);
    expect(asked).toMatchObject({ method: method.toUpperCase(), path: `${endpoint}?a=1&b=two+words` });
    expect(asked?.headers).toMatchObject({ authorization: injected, "x-own": "mine" });
    expect(asked?.body.toString()).toBe(method === "get" ? "" : '{"hello":"world"}');
    expect(JSON.stringify(asked?.rawHeaders)).not.toContain("nango");
  });

  test.for(["PROPFIND", "REPORT"] as const)("proxy, by %s", async (method) => {
    const { nango, link } = await open();
    const endpoint = `/dav-${method}`;
    all.upstream.answers(endpoint, { status: 207, body: "<xml/>" });
    const { status, data } = await nango.proxy({
      method,
      endpoint,
      providerConfigKey: "toggl",
      connectionId: await link(),
      headers: { "Content-Type": "application/xml" },
      data: "<find/>",
    });

    expect([status, data]).toEqual([207, "<xml/>"]);
    expect(askedAt(all.upstream, endpoint)[0]?.headers["content-type"]).toBe("application/xml");
  });

  test("proxy, again and again until it works, with the names that the SDK was made with", async () => {
    const { key, link } = await open();
    let times = 0;
    all.upstream.answers("/flaky", () => {
      times += 1;
      return times < 3 ? { status: 409, headers: { "retry-after": "0" } } : { body: "at last" };
    });
    const nango = new Nango({
      host: `${all.house.config.origin.origin}/`,
      apiKey: key,
      providerConfigKey: "toggl",
      connectionId: await link(),
    });
    const { data } = await nango.proxy({
      endpoint: "flaky",
      retries: 5,
      retryOn: [409],
      decompress: true,
      forwardHeadersOnRedirect: true,
    });

    expect([data, times]).toEqual(["at last", 3]);
  });

  test("proxy, with bytes both ways", async () => {
    const { nango, link } = await open();
    const bytes = Buffer.from(Array.from({ length: 3000 }, (_, index) => index % 256));
    all.upstream.answers("/bytes", { body: bytes, headers: { "content-type": "image/png" } });
    const { data } = await nango.post<Buffer>({
      endpoint: "/bytes",
      providerConfigKey: "toggl",
      connectionId: await link(),
      headers: { "Content-Type": "application/octet-stream" },
      responseType: "arraybuffer",
      data: bytes,
    });

    expect(bytes.equals(data)).toBe(true);
    expect(askedAt(all.upstream, "/bytes")[0]?.body.equals(bytes)).toBe(true);
  });

  test("proxy, when the provider or the server refuses", async () => {
    const { nango, link } = await open();
    const named = { providerConfigKey: "toggl", connectionId: await link() };
    const error = { error: { code: 7, message: "no such task" } };
    const headers = { "content-type": "application/json", "x-own": "1" };
    all.upstream.answers("/missing", { status: 418, headers, body: JSON.stringify(error) });

    await expect(nango.get({ ...named, endpoint: "/missing" })).rejects.toMatchObject({
      response: { status: 418, data: error, headers: { "x-own": "1" } },
    });
    expect(await refused(nango.get({ ...named, connectionId: "nope", endpoint: "/x" }))).toEqual([
      400,
      "unknown_connection",
      sentence,
    ]);
    expect(await refused(nango.get({ ...named, providerConfigKey: "nope", endpoint: "/x" }))).toEqual([
      404,
      "unknown_provider_config",
      sentence,
    ]);
    const elsewhere = { ...named, endpoint: "/x", baseUrlOverride: "http://127.0.0.1:1" };
    expect(await refused(nango.get(elsewhere))).toEqual([400, "base_url_override_not_allowed", sentence]);
  });
});

describe("what Latchkey does not have", () => {
  const named = { providerConfigKey: "toggl", connectionId: "x" };
  const ofFunction = { uniqueKey: "toggl", name: "f" };
  const variant = { provider_config_key: "toggl", connection_id: "x", name: "s", variant: "v" };
  const calls: Readonly<Record<string, (nango: Nango) => Promise<unknown>>> = {
    getProviderTemplates: (nango) => nango.getProviderTemplates({ provider: "toggl" }),
    createQuickstartIntegration: (nango) =>
      nango.createQuickstartIntegration({ provider: "github", unique_key: "g" }),
    getEnvironmentVariables: (nango) => nango.getEnvironmentVariables(),
    listFunctions: (nango) => nango.listFunctions({ uniqueKey: "toggl" }),
    getFunction: (nango) => nango.getFunction(ofFunction),
    getFunctionCode: (nango) => nango.getFunctionCode(ofFunction),
    deleteFunction: (nango) => nango.deleteFunction(ofFunction, { type: "action" }),
    getScriptsConfig: (nango) => nango.getScriptsConfig(),
    listRecords: (nango) => nango.listRecords({ ...named, model: "Task" }),
    pruneRecords: (nango) => nango.pruneRecords({ ...named, model: "Task", untilCursor: "c" }),
    triggerSync: (nango) => nango.triggerSync("toggl", ["s"], "x"),
    startSync: (nango) => nango.startSync("toggl", ["s"], "x"),
    pauseSync: (nango) => nango.pauseSync("toggl", ["s"], "x"),
    syncStatus: (nango) => nango.syncStatus("toggl", "*", "x"),
    updateSyncConnectionFrequency: (nango) =>
      nango.updateSyncConnectionFrequency("toggl", "s", "x", "every hour"),
    createSyncVariant: (nango) => nango.createSyncVariant(variant),
    deleteSyncVariant: (nango) => nango.deleteSyncVariant(variant),
    triggerAction: (nango) => nango.triggerAction("toggl", "x", "a", {}),
    triggerActionAsync: (nango) => nango.triggerActionAsync("toggl", "x", "a", {}),
    getAsyncActionResult: (nango) => nango.getAsyncActionResult({ id: "1" }),
  };

  test.for(Object.entries(calls))("%s is told so", async ([, call]) => {
    const { nango } = await open();

    expect(await refused(call(nango))).toEqual([
      501,
      "not_supported",
      expect.stringMatching(/^Latchkey does not have \w/),
    ]);
  });

  test("no method of the SDK is left out here", async () => {
    const files = ["nango-node.test.ts", "nango-node-proxy.test.ts", "webhook-signature.test.ts"];
    const here = files.map((name) => readFileSync(new URL(name, import.meta.url), "utf8")).join("\n");
    const ofSdk = Object.getOwnPropertyNames(Nango.prototype).filter(
      (name) => name !== "constructor" && !name.startsWith("_"),
    );
    const insideOthers = ["enrichHeaders", "getConnectionDetails"];
    // Of the signature that is deprecated, and not sent.
    const withoutUse = ["verifyWebhookSignature"];
    const called = (name: string): boolean =>
      new RegExp(`\\.${name}[<(]|^const methods.*"${name}"`, "m").test(here);

    expect(ofSdk.filter((name) => !called(name)).toSorted()).toEqual(
      [...insideOthers, ...withoutUse].toSorted(),
    );
  });
});
