import { facts } from "../facts.ts";
import { hrefTo } from "../go.ts";
import { start } from "../start.tsx";
import { texts } from "../texts/index.ts";
import { CopyLine } from "../ui/copy.tsx";
import { Brand, SignOut } from "../ui/shell.tsx";

const t = texts.home;

const Ways = () =>
  facts.signedIn ? (
    <>
      <p class="quiet">{t.signedInAs(facts.signedIn.email)}</p>
      <div class="actions">
        <a class="main" href={hrefTo("profile")}>
          {t.toAccount}
        </a>
        <SignOut />
      </div>
    </>
  ) : (
    <div class="actions">
      <a class="main" href={hrefTo("sign-up")}>
        {t.signUp}
      </a>
      <a class="plain" href={hrefTo("log-in")}>
        {t.signIn}
      </a>
    </div>
  );

const Home = () => (
  <div class="front">
    <header>
      <Brand />
      <a href="/docs/">{t.documents}</a>
    </header>
    <main>
      <div class="opening">
        <h1>{t.title}</h1>
        <p class="quiet">{t.lead}</p>
        <Ways />
      </div>
      <ul class="points">
        {t.points.map(([heading, text]) => (
          <li key={heading}>
            <h2>{heading}</h2>
            <p class="quiet">{text}</p>
          </li>
        ))}
      </ul>
      <section class="stack" aria-label={t.tryIt}>
        <h2>{t.tryIt}</h2>
        {/* In quotes, so that a shell takes even an unreplaced placeholder for what it is. */}
        <CopyLine what={t.withEmail} shown={`curl -u '<email>:<password>' ${facts.origin}/api/v9/me`} />
        <CopyLine what={t.withToken} shown={`curl -u '<API token>:api_token' ${facts.origin}/api/v9/me`} />
      </section>
      {(facts.local || facts.demo) && (
        <p class="small ways">
          {facts.demo && facts.signedIn && <a href={hrefTo("demo")}>{t.demo}</a>}
          {facts.local && <a href={hrefTo("mail")}>{t.mails}</a>}
        </p>
      )}
    </main>
  </div>
);

start(Home);
