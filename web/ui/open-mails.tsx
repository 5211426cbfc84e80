import { facts } from "../facts.ts";
import { hrefTo } from "../go.ts";
import { texts } from "../texts/index.ts";

/** In local mode, where the mails of this server can be read. */
export const OpenMails = () =>
  facts.local ? (
    <a href={hrefTo("mail")} target="_blank">
      {texts.forgot.openMails}
    </a>
  ) : null;
