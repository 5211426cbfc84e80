import { useState } from "preact/hooks";
import { call } from "../api.ts";
import type { Calls } from "../api.generated.ts";
import { agoOf, minuteOf } from "../dates.ts";
import { hrefTo } from "../go.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { Form, Submit } from "../ui/form.tsx";
import { Loaded, useLoaded, type Loading } from "../ui/loaded.tsx";
import { Said } from "../ui/notice.tsx";
import { troubleOf } from "../ui/problem.ts";
import { Account, Section } from "../ui/shell.tsx";

const t = texts.sessions;

type Session = Calls["GET /api/me/sessions"]["answer"]["sessions"][number];
type Event = Calls["GET /api/me/audit"]["answer"]["events"][number];

const loadSessions = async (): Promise<readonly Session[]> =>
  (await call("GET /api/me/sessions", {})).sessions;

const When = ({ at, children }: { readonly at: string; readonly children: string }) => (
  <time dateTime={at} title={minuteOf(at)}>
    {children}
  </time>
);

const SessionRow = ({
  session,
  ended,
}: {
  readonly session: Session;
  readonly ended: () => Promise<void>;
}) => {
  const { id, device, address, current, remembered } = session;
  const end = async (): Promise<void> => {
    await call("DELETE /api/me/sessions/{session_id}", { params: { session_id: id } });
    await ended();
  };
  return (
    <li>
      <div>
        <h3>
          {device} {current && <span class="tag good">{t.thisOne}</span>}
        </h3>
        <p class="small">
          {address !== null && `${t.from(address)} · `}
          <When at={session.last_seen_at}>{t.seen(agoOf(session.last_seen_at))}</When>
          {" · "}
          <When at={session.created_at}>{t.since(agoOf(session.created_at))}</When>
          {remembered && ` · ${t.remembered}`}
        </p>
      </div>
      {!current && (
        <Form label={t.endOf(device)} send={end}>
          <Submit busy={t.end} kind="plain" small label={t.endOf(device)}>
            {t.end}
          </Submit>
        </Form>
      )}
    </li>
  );
};

const Sessions = ({ sessions }: { readonly sessions: Loading<readonly Session[]> }) => {
  const [said, setSaid] = useState<string>();
  const ended = async (what: string): Promise<void> => {
    await sessions.reload();
    setSaid(what);
  };
  const endOthers = async (): Promise<void> => {
    const { ended: count } = await call("DELETE /api/me/sessions", {});
    await ended(t.endedOthers(count));
  };
  return (
    <Section title={t.list}>
      <Said>{said !== undefined && <p class="tag good">{said}</p>}</Said>
      <Loaded of={sessions}>
        {(all) => (
          <>
            <ul class="rows">
              {all.map((session) => (
                <SessionRow key={session.id} session={session} ended={() => ended(t.ended)} />
              ))}
            </ul>
            {all.length > 1 ? (
              <>
                <Form label={t.endOthers} send={endOthers}>
                  <div class="actions">
                    <Submit busy={t.endOthers} kind="plain">
                      {t.endOthers}
                    </Submit>
                  </div>
                </Form>
                <p class="small">
                  {t.strange} <a href={hrefTo("profile")}>{t.changePassword}</a>
                </p>
              </>
            ) : (
              <p class="small">{t.only}</p>
            )}
          </>
        )}
      </Loaded>
    </Section>
  );
};

const isNamed = (name: string): name is keyof typeof t.events => name in t.events;

const nameOf = ({ event, outcome }: Event): string => {
  const refused = `${event}_refused`;
  if (outcome === "refused" && isNamed(refused)) return t.events[refused];
  const name = isNamed(event) ? t.events[event] : event;
  return outcome === "refused" && !event.endsWith("_refused") ? t.refused(name) : name;
};

const EventRow = ({ event }: { readonly event: Event }) => {
  const about = [
    t.by[event.channel],
    event.device ?? "",
    event.address === null ? "" : t.from(event.address),
  ];
  return (
    <li>
      <div>
        <h3>{nameOf(event)}</h3>
        <p class="small">{about.filter((part) => part !== "").join(" · ")}</p>
      </div>
      <p class="small">
        <When at={event.at}>{agoOf(event.at)}</When>
      </p>
    </li>
  );
};

type Events = { readonly events: readonly Event[]; readonly next: string | null };

const loadEvents = async (before?: string): Promise<Events> => {
  const { events, next } = await call("GET /api/me/audit", before === undefined ? {} : { query: { before } });
  return { events, next: next === null ? null : String(next) };
};

const Lately = ({ lately }: { readonly lately: Loading<Events> }) => {
  const [fault, setFault] = useState<string>();
  const more = async ({ events, next }: Events): Promise<void> => {
    if (next === null) return;
    try {
      const earlier = await loadEvents(next);
      lately.set({ events: [...events, ...earlier.events], next: earlier.next });
      setFault(undefined);
    } catch (error) {
      setFault(troubleOf(error, []).message);
    }
  };
  return (
    <Section title={t.lately} lead={t.latelyLead}>
      <Loaded of={lately}>
        {(known) => (
          <>
            {known.events.length === 0 && <p class="quiet">{t.nothing}</p>}
            <ul class="rows">
              {known.events.map((event) => (
                <EventRow key={event.id} event={event} />
              ))}
            </ul>
            {known.next !== null && (
              <div class="actions">
                <button type="button" class="plain" onClick={() => void more(known)}>
                  {t.more}
                </button>
              </div>
            )}
            <p role="alert" class="fault">
              {fault}
            </p>
          </>
        )}
      </Loaded>
    </Section>
  );
};

const Page = () => {
  const sessions = useLoaded(loadSessions);
  const lately = useLoaded(() => loadEvents());
  const known = sessions.value !== undefined || sessions.fault !== undefined;
  return (
    <Account at="sessions" title={t.title} lead={t.lead}>
      <Sessions sessions={sessions} />
      {/* What is below comes when it is known where that begins: nothing is pushed down. */}
      {known && <Lately lately={lately} />}
    </Account>
  );
};

start(Page);
