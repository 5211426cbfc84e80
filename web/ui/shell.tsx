import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { call } from "../api.ts";
import { facts } from "../facts.ts";
import { hrefTo, type AccountPage } from "../go.ts";
import { isSignedOut } from "../session.ts";
import { texts } from "../texts/index.ts";
import { troubleOf } from "./problem.ts";

export const Brand = () => (
  <a class="brand" href={hrefTo("home")} aria-label={texts.name}>
    <svg viewBox="0 0 32 32" aria-hidden="true">
      <rect width="32" height="32" rx="8" fill="#2f5bea" />
      <g fill="none" stroke="#fff" stroke-width="2.6" stroke-linecap="round" stroke-linejoin="round">
        <circle cx="11" cy="16" r="4.7" />
        <path d="M15.7 16H26v4.4M21 16v3.4" />
      </g>
    </svg>
    <span>{texts.name}</span>
  </a>
);

/** One card in the middle: signing in, and everything that happens before it. */
export const Gate = ({
  title,
  lead,
  aside,
  children,
}: {
  readonly title: string;
  readonly lead?: ComponentChildren;
  /** Below the card: the other way to go. */
  readonly aside?: ComponentChildren;
  readonly children: ComponentChildren;
}) => (
  <div class="gate">
    <header>
      <Brand />
    </header>
    <main class="card">
      <header>
        <h1>{title}</h1>
        {lead !== undefined && <p class="quiet">{lead}</p>}
      </header>
      {children}
    </main>
    <footer class="aside">{aside}</footer>
  </div>
);

const ways: readonly { readonly page: AccountPage; readonly name: string }[] = [
  { page: "profile", name: texts.account.ways.profile },
  { page: "tokens", name: texts.account.ways.tokens },
  { page: "sessions", name: texts.account.ways.sessions },
  { page: "close", name: texts.account.ways.close },
];

export const SignOut = ({ kind = "plain" }: { readonly kind?: "plain" | "text" }) => {
  const [trouble, setTrouble] = useState<string>();
  const signOut = async (): Promise<void> => {
    try {
      await call("DELETE /api/sessions", {});
    } catch (error) {
      if (!isSignedOut(error)) return setTrouble(troubleOf(error, []).message);
    }
    return location.assign(hrefTo("log-in"));
  };
  return (
    <>
      <button
        type="button"
        class={kind === "plain" ? "plain small-button" : "text"}
        onClick={() => void signOut()}
      >
        {texts.account.signOut}
      </button>
      <span role="alert" class="fault">
        {trouble}
      </span>
    </>
  );
};

/** The head of the pages of somebody who is signed in. */
export const Bar = () => (
  <header class="bar">
    <div>
      <Brand />
      <div class="who">
        <span>{facts.signedIn?.email}</span>
        <SignOut />
      </div>
    </div>
  </header>
);

/** The pages of an account. */
export const Account = ({
  at,
  title,
  lead,
  children,
}: {
  readonly at: AccountPage;
  readonly title: string;
  readonly lead?: ComponentChildren;
  readonly children: ComponentChildren;
}) => (
  <>
    <Bar />
    <div class="account">
      <nav aria-label={texts.account.navigation}>
        <ul>
          {ways.map(({ page, name }) => (
            <li key={page}>
              <a href={hrefTo(page)} aria-current={page === at ? "page" : undefined}>
                {name}
              </a>
            </li>
          ))}
        </ul>
      </nav>
      <main>
        <header>
          <h1>{title}</h1>
          {lead !== undefined && <p class="quiet">{lead}</p>}
        </header>
        {children}
      </main>
    </div>
  </>
);

/** A part of a page with a heading of its own. */
export const Section = ({
  title,
  lead,
  children,
}: {
  readonly title: string;
  readonly lead?: ComponentChildren;
  readonly children: ComponentChildren;
}) => (
  <section class="section" aria-label={title}>
    <header>
      <h2>{title}</h2>
      {lead !== undefined && <p class="quiet">{lead}</p>}
    </header>
    {children}
  </section>
);
