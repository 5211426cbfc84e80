/** What the documentation is made of: pages of Markdown, in sections. */

export type GuidePage = {
  /** `/docs/guides/webhooks`. */
  readonly path: string;
  /** Of its Markdown: `/docs/guides/webhooks.md`. */
  readonly markdownPath: string;
  readonly title: string;
  /** In lists, where what is around it says the rest. */
  readonly name: string;
  /** One sentence for those who choose among pages. */
  readonly summary: string;
  /** Links of this server are paths, and lead to Markdown where there is some. */
  readonly markdown: string;
};

export type GuideSection = {
  /** The page that lists the others. */
  readonly index: GuidePage;
  /** In lists and beside pages. */
  readonly name: string;
  readonly pages: readonly GuidePage[];
};
