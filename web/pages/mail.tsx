import { call } from "../api.ts";
import { minuteOf } from "../dates.ts";
import { facts } from "../facts.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { Loaded, useLoaded } from "../ui/loaded.tsx";
import { Brand } from "../ui/shell.tsx";

const t = texts.mail;

const load = () => call("GET /dev/mails", {});

/** Links of this server can be followed; everything else that a mail says is text. */
const Line = ({ line }: { readonly line: string }) =>
  line.startsWith(`${facts.origin}/`) && !/\s/.test(line) ? <a href={line}>{line}</a> : <>{line}</>;

const Mails = () => {
  const mails = useLoaded(load);
  return (
    <div class="front">
      <header>
        <Brand />
        <button type="button" class="plain small-button" onClick={() => void mails.reload()}>
          {t.reload}
        </button>
      </header>
      <main class="letters">
        <header>
          <h1>{t.title}</h1>
          <p class="quiet">{t.lead}</p>
        </header>
        <Loaded of={mails}>
          {({ mails: all }) =>
            all.length === 0 ? (
              <p class="quiet">{t.none}</p>
            ) : (
              all.map(({ id, subject, to, at, text }) => (
                <article key={id} class="section" aria-label={subject}>
                  <header>
                    <h2>{subject}</h2>
                    <p class="small">
                      {t.to(to)} · <time dateTime={at}>{minuteOf(at)}</time>
                    </p>
                  </header>
                  <div class="letter">
                    {text
                      .trim()
                      .split("\n")
                      .map((line, index) => (
                        <p key={index}>
                          <Line line={line} />
                        </p>
                      ))}
                  </div>
                </article>
              ))
            )
          }
        </Loaded>
      </main>
    </div>
  );
};

start(Mails);
