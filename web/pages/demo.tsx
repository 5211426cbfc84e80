import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { OwnLink } from "../demo/own-link.tsx";
import { ProxiedCall } from "../demo/proxied-call.tsx";
import { facts } from "../facts.ts";
import { hrefTo } from "../go.ts";
import { start } from "../start.tsx";
import { enDemo as t } from "../texts/en-demo.ts";
import { CopyLine } from "../ui/copy.tsx";
import { Loaded, useLoaded } from "../ui/loaded.tsx";
import { Bar, Section } from "../ui/shell.tsx";

const loadToken = async () => ({ has: (await call("GET /api/me", {})).has_token });
const loadLink = () => call("GET /connect/demo/connection", {});

const load = async () => {
  const [token, link] = await Promise.all([loadToken(), loadLink()]);
  return { token, link };
};

const fetchToken = async (): Promise<string> => (await call("GET /api/v9/me", {})).api_token ?? "";

const masked = "•".repeat(32);

/** A refused call leads to a check of the credentials, which takes a moment. */
const checkMs = 1000;

const Token = ({ has }: { readonly has: boolean }) => (
  <>
    {has && facts.revealToken ? (
      <CopyLine what={t.token.name} shown={masked} text={fetchToken} />
    ) : (
      <p>{has ? t.token.notShown : t.token.none}</p>
    )}
    <p class="small">
      <a href={hrefTo("tokens")} target="_blank" rel="noopener" aria-label={t.token.pageNewTab}>
        {t.token.page}
      </a>
    </p>
  </>
);

const Absent = () => (
  <Section title={t.absent.title} lead={t.absent.lead}>
    <CopyLine what={t.absent.what} shown={t.absent.command} />
  </Section>
);

const Steps = () => {
  const loaded = useLoaded(load);
  /** How often something was linked here: each time the call is made anew. */
  const [links, setLinks] = useState(0);
  const reload = (): void => void loaded.reload();
  return (
    <Loaded of={loaded}>
      {({ token, link: { available, connection } }) =>
        available ? (
          <>
            <Section title={t.token.title} lead={t.token.lead}>
              <Token has={token.has} />
            </Section>
            <Section title={t.link.title} lead={t.link.lead}>
              <OwnLink
                connection={connection}
                onLinked={() => {
                  setLinks((count) => count + 1);
                  reload();
                }}
                onUnlinked={reload}
              />
            </Section>
            <Section title={t.call.title} lead={t.call.lead}>
              {connection ? (
                <ProxiedCall
                  key={`${connection.connection_id} ${links}`}
                  connectionId={connection.connection_id}
                  integration={connection.provider_config_key}
                  onRefused={() => void setTimeout(reload, checkMs)}
                />
              ) : (
                <p class="quiet">{t.call.first}</p>
              )}
            </Section>
          </>
        ) : (
          <Absent />
        )
      }
    </Loaded>
  );
};

const Demo = () => (
  <>
    <Bar />
    <main class="demo">
      <header>
        <h1>{t.title}</h1>
        <p class="quiet">{t.lead}</p>
      </header>
      <Steps />
    </main>
  </>
);

start(Demo);
