import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { SetupFault } from "#kernel/errors.ts";

/** The pictures of the guides, as `npm run pictures` has made them: twice as many pixels as they are shown with. */

const folder = new URL("../../../docs/pictures/", import.meta.url);

export type Picture = {
  readonly body: Buffer;
  /** In the address, so that a browser may keep the picture for good. */
  readonly digest: string;
  /** As shown. */
  readonly width: number;
  readonly height: number;
};

export type Pictures = ReadonlyMap<string, Picture>;

const pictureOf = (body: Buffer): Picture => ({
  body,
  digest: createHash("sha256").update(body).digest("hex").slice(0, 16),
  // PNG begins with its size: 8 bytes of signature, 8 of the chunk's head, width, height.
  width: Math.round(body.readUInt32BE(16) / 2),
  height: Math.round(body.readUInt32BE(20) / 2),
});

/** By their files' names. @throws SetupFault when they can't be read */
export const loadPictures = (): Pictures => {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(".png"));
    return new Map(names.map((name) => [name, pictureOf(readFileSync(new URL(name, folder)))]));
  } catch (error) {
    throw new SetupFault("The pictures of the guides (docs/pictures) can't be read.", error);
  }
};

/** The same picture as it looks in the dark. */
export const darkNameOf = (name: string): string => name.replace(/\.png$/, "-dark.png");

export const pictureAddress = (name: string, { digest }: Picture): string =>
  `/docs/pictures/${name}?digest=${digest}`;
