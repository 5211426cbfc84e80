import { htmlType } from "#kernel/http/content-types.ts";
import { plainWire, sentenceIn, type Wire } from "#kernel/http/wire.ts";
import { pageHeaders, type ErrorPage } from "./page-html.ts";

/** What people with a browser are answered: a refusal is a page. */
export const pageWire = (errorPage: ErrorPage): Wire => ({
  ...plainWire,
  title: "Pages",
  about: "What people open in a browser.",
  forPeople: true,
  standing: pageHeaders,
  voice: {
    ...plainWire.voice,
    tell: (refusal, { requestId }) => {
      const sentence = sentenceIn(plainWire.voice, refusal);
      return { type: htmlType, body: errorPage({ status: refusal.status, sentence, requestId }) };
    },
  },
});
