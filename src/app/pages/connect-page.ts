import { noBody } from "#kernel/http/input.ts";
import { anyone, route, type Answer, type Route } from "#kernel/http/route.ts";
import { htmlType } from "#kernel/http/content-types.ts";
import type { Headers, Wire } from "#kernel/http/wire.ts";
import { refusals } from "#kernel/errors.ts";
import { assetAnswer, type PageFiles } from "./page-files.ts";
import { createPageHtml, pageHeaders, pagePolicy } from "./page-html.ts";
import { places } from "./places.ts";

/**
 * The Connect form: the one page of ours that pages of others may show in a frame of theirs. It uses no cookie and no
 * session of an account, so there is nothing that a frame could make somebody do here.
 */

type Deps = {
  readonly files: PageFiles;
  readonly wire: Wire;
  /** Origins of apps that some environment allows; empty: any. */
  readonly connectOrigins: () => Promise<readonly string[]>;
};

const assets = `${places.connect.path}assets/`;

/** The policy of all pages, but for who may frame it. */
const connectHeaders = (origins: readonly string[]): Headers => ({
  ...pageHeaders,
  "content-security-policy": [
    ...pagePolicy,
    ...(origins.length === 0 ? [] : [`frame-ancestors 'self' ${origins.join(" ")}`]),
  ].join("; "),
  // A page that isolates itself may frame the form too.
  "cross-origin-resource-policy": "cross-origin",
  "cross-origin-embedder-policy": "require-corp",
  // Where it stood is no concern of the guide, or of the place that it leads back to.
  "referrer-policy": "no-referrer",
});

export const connectPage = ({ files, wire, connectOrigins }: Deps): readonly Route[] => {
  const html = createPageHtml(files.page("connect"), files.look, assets)({});
  return [
    route({
      method: "GET",
      path: places.connect.path,
      summary: places.connect.summary,
      wire,
      guard: anyone,
      input: noBody,
      refuses: [refusals.host_unknown],
      answers: { means: "The page." },
      run: async ({ incoming }): Promise<Answer> => {
        incoming.refuseOtherHosts();
        const headers = connectHeaders(await connectOrigins());
        return { content: { type: htmlType, body: html }, headers, framable: true };
      },
    }),
    route({
      method: "GET",
      path: `${assets}{file}`,
      summary: "A script, style sheet or picture of the form",
      wire,
      guard: anyone,
      input: noBody,
      refuses: [refusals.not_found],
      answers: { means: "The file." },
      run: ({ params, incoming }) => assetAnswer(files, params.file, incoming),
    }),
  ];
};
