/** What the server says to each page before it asks anything (src/app/pages/page-html.ts). */
export type PageFacts = {
  readonly signedIn: { readonly email: string; readonly name: string } | null;
  readonly origin: string;
  readonly passwordMin: number;
  readonly closeGraceDays: number;
  readonly revealToken: boolean;
  readonly verifiesFirst: boolean;
  readonly local: boolean;
  readonly demo: boolean;
};

const read = (): PageFacts => {
  const content = document.querySelector<HTMLMetaElement>('meta[name="latchkey"]')?.content ?? "";
  // Our own server wrote it for this very script.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return JSON.parse(content) as PageFacts;
};

export const facts: PageFacts = read();
