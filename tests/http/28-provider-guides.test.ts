import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { enConnect } from "../../web/texts/en-connect.ts";
import { connectClient, done, environmentKey } from "../support/connect.ts";
import { crawl, idsOf } from "../support/crawl.ts";
import { startHouse, stopHouses, type TestHouse } from "../support/house.ts";
import type { Reply } from "../support/http.ts";
import { writeProviders } from "../support/provider-files.ts";
import { fieldsOf, listOf } from "../support/shapes.ts";

let house: TestHouse;
let origin: string;

beforeAll(async () => {
  house = await startHouse();
  ({ origin } = house.config.origin);
});
afterAll(stopHouses);

const get = (path: string): Promise<Reply> => house.send("GET", path);

describe("a provider's page", () => {
  test("is where its docs_connect leads, and has a part for every doc_section of its fields", async () => {
    const app = connectClient(house, await environmentKey(house));
    const providers = listOf((await done(app.get("/providers")))["data"]);

    expect(providers.length).toBeGreaterThanOrEqual(10);
    for (const provider of providers) {
      const page = await get(String(provider["docs_connect"]).replace(origin, ""));
      expect(page.status).toBe(200);
      const shapes = listOf(provider["shapes"]).map((shape) => fieldsOf(shape["fields"]));
      const fields = [...shapes, fieldsOf(provider["connection_config"] ?? {})].flatMap((all) =>
        Object.values(all).map(fieldsOf),
      );
      const anchors = fields.flatMap(({ doc_section: anchor }) =>
        typeof anchor === "string" ? [anchor.slice(1)] : [],
      );
      expect(anchors.length, String(provider["name"])).toBeGreaterThan(0);
      expect(idsOf(page.text)).toEqual(expect.arrayContaining(anchors));
    }
  });

  test.for(["toggl", "latchkey"])("%s: both ways in steps, the recommended one first", async (name) => {
    const { text } = await get(`/docs/providers/${name}.md`);
    const at = (part: string): number => text.indexOf(part);

    const order = [
      "account?\n",
      "## Option A: API token (recommended)",
      "### Step 1: Find your API token {#find-your-api-token}",
      "\n1. Sign in to",
      "### Step 2: Fill in the form",
      "Paste what you have copied into **API token**. It looks like `1971800d4d82861d8f2c1651fea4d212`",
      "**You are now connected to",
      "## Option B: E-mail and password",
      "{#use-your-password}",
      "Fill in **E-mail address**",
      "Fill in **Password**",
      "## If it does not work",
      "## What happens with what you enter",
      "**Your password is not kept.**",
      "## How do I end the link?",
      "## For developers",
      "| API token | API token | `api_token` |",
    ].map(at);
    expect(order).not.toContain(-1);
    expect(order).toEqual(order.toSorted((a, b) => a - b));
    // The words of the trade are for those at the end of the page.
    expect(text.slice(0, at("## For developers"))).not.toMatch(/\bBasic\b|base64|header/i);
  });

  test("speaks of what goes wrong in the words of the form", async () => {
    const { text } = await get("/docs/providers/toggl.md");
    const { outcomes, another, over, form } = enConnect;

    const name = "Toggl Track";
    const said = [
      outcomes.connection_test_failed.title(name),
      outcomes.token_not_available.title(name),
      outcomes.provider_quota.title(name),
      outcomes.provider_rate_limited.title(name),
      outcomes.provider_unavailable.title(name),
      outcomes.unexpected_answer.title(name),
      outcomes.link_used_up.title(),
      another.title,
      over.finished.title,
    ];
    for (const title of said) expect(text).toContain(`- **${title}`);
    expect(text).toContain(`Press **${form.submit(name)}**`);
  });

  test("says what the provider's own rules tell people", async () => {
    const { text } = await get("/docs/providers/zendesk-api-key");

    expect(text).toContain("Zendesk took you for an anonymous visitor.");
    expect(text).toContain("<code>acme.zendesk.com</code>");
  });
});

describe("a provider's file with more in it than text", () => {
  const hostile = `display_name: <img src=x onerror=alert(1)>
auth_mode: API_KEY
base_url: https://hostile.example
docs: https://hostile.example/docs
shapes:
  - name: key
    title: "[Key](javascript:alert(2))"
    description: "<b onclick=alert(3)>bold</b>"
    fields: { apiKey: { title: "\\"><script>alert(4)</script>", secret: true, doc_section: "#find" } }
headers: { x-key: "\${apiKey}" }
verification:
  path: /me
  account: { id: id }
guide:
  - anchor: find
    title: "<svg onload=alert(5)>"
    text: |
      <script>alert(6)</script>

      [a](javascript:alert(7)) [b](JaVaScRiPt:alert(8)) [c](java&#x73;cript:alert(9)) [d](data:text/html,x)
      [e](//evil.example) [f](vbscript:x) [g](</\\evil.example>) <https://fine.example/> [h](https://fine.example/"onclick=x)

      ![picture](https://evil.example/x.png) ![picture](/docs/pictures/none.png) ![p](/docs/pictures/x"onerror=alert(10).png)

      <!-- a comment -->

      | a | b |
      | - | - |
      | <i onclick=alert(11)> | \`</code><script>\` |

      ## Own heading {#own}
  - anchor: more
    title: More
    text: Nobody leads here.
    picture: { file: not-made-yet.png, alt: Not made yet }
`;

  test("stays text: nothing runs, nothing is loaded, no link leads elsewhere by surprise", async () => {
    const files = await writeProviders({ hostile });
    onTestFinished(() => files.clear());
    const other = await startHouse({}, { providers: files.folder });

    for (const path of ["/docs/providers/hostile", "/docs/providers", "/docs/"]) {
      const { status, text } = await other.send("GET", path);
      expect(status).toBe(200);
      const tags = [...text.matchAll(/<(\w+)((?:\s[^<>]*)?)>/g)];
      expect(tags.length).toBeGreaterThan(20);
      expect(tags.map(([, name]) => name)).not.toEqual(expect.arrayContaining(["script"]));
      for (const [tag, , attributes = ""] of tags) {
        expect(attributes.replaceAll(/"[^"]*"/g, ""), tag).not.toMatch(/\bon\w+/i);
        expect(tag).not.toMatch(/(?:href|src)="(?:javascript|vbscript|data|\/\/|\/\\|https:\/\/evil)/i);
      }
    }
    const { text } = await other.send("GET", "/docs/providers/hostile");
    expect(text).toContain("&lt;script&gt;alert(6)&lt;/script&gt;");
    expect(text).toContain('href="https://fine.example/"');
    expect(text).not.toContain("not-made-yet");
    expect(text).not.toContain("a comment");
    expect(idsOf(text)).toEqual(expect.arrayContaining(["find", "own", "more"]));
    expect(
      (await crawl(other, ["/docs/providers/hostile"], (path) => path === "/docs/providers/hostile")).dead,
    ).toEqual([]);
  });
});
