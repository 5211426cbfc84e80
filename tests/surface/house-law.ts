// The law of the house, as ARCHITECTURE.md tells it: each check reads sources and says in a sentence what breaks it.

import { posix } from "node:path";
import { codeOf, importsOf, type Source } from "./sources.ts";

type Check = (sources: readonly Source[]) => readonly string[];

const isTest = (path: string): boolean => /\.(test|fixture)\.ts$|\/testing\//.test(path);
const isCode = (path: string): boolean => /\.(tsx?|mjs)$/.test(path);
const isOfServer = (path: string): boolean => path.startsWith("src/") && isCode(path) && !isTest(path);

const rooms = ["accounts", "track", "connect"];

/** `src/track/store.ts` is of `track`, `src/main.ts` of `main`, and `migrations/…` of `migrations`. */
const roomOf = (path: string): string => {
  const [top = "", below = "", ...deeper] = path.split("/");
  return top === "src" ? (deeper.length === 0 ? below.replace(/\.ts$/, "") : below) : top;
};

/** From each part of the server: which other parts it may import. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  kernel: [],
  accounts: ["kernel"],
  track: ["kernel"],
  connect: ["kernel"],
  app: ["kernel", ...rooms, "migrations"],
  cli: ["kernel", ...rooms, "app", "migrations"],
  main: ["kernel", "app"],
  migrations: [],
};

/** What an import leads to within the project; undefined for packages and Node. */
const leadsTo = (from: string, specifier: string): string | undefined => {
  if (specifier.startsWith(".")) return posix.join(posix.dirname(from), specifier);
  if (!specifier.startsWith("#")) return undefined;
  const [, room = "", file] = /^#([^/]+)(?:\/(.+))?$/.exec(specifier) ?? [];
  if (file === undefined) return room === "migrations" ? "migrations/index.ts" : `src/${room}/index.ts`;
  return `src/${room}/${file}`;
};

const isDoor = (specifier: string): boolean =>
  /^#(accounts|track|connect|migrations)$|^#(kernel|app)\/[a-z]/.test(specifier);

const ofServer = (sources: readonly Source[]): readonly Source[] =>
  sources.filter(({ path }) => isOfServer(path) || (path.startsWith("migrations/") && isCode(path)));

const roomsMeetOnlyWhereTheyMay: Check = (sources) =>
  ofServer(sources).flatMap((source) =>
    importsOf(source).flatMap(({ specifier }) => {
      const { path } = source;
      const from = roomOf(path);
      const target = leadsTo(path, specifier);
      if (specifier === "") return [`${path} imports something that only shows at run time.`];
      if (target === undefined) return [];
      if (specifier.startsWith("#") && !isDoor(specifier))
        return [`${path} imports ${specifier}, which is no door.`];
      const to = roomOf(target);
      if (to === from || target === "package.json") return [];
      if (!(mayImport[from] ?? []).includes(to))
        return [`${path} imports ${specifier}: ${from} may not know ${to}.`];
      if (specifier.startsWith(".") && !(rooms.includes(from) && to === "kernel")) {
        return [`${path} imports ${specifier}: a relative path leaves its room only into the kernel.`];
      }
      return [];
    }),
  );

/** Each circle once, as the sorted names of those that are in it. */
const circlesOf = (next: ReadonlyMap<string, readonly string[]>): readonly string[] => {
  const done = new Set<string>();
  const walk = (name: string, way: readonly string[]): readonly string[] => {
    const begin = way.indexOf(name);
    if (begin >= 0) return [way.slice(begin).toSorted().join(", ")];
    if (done.has(name)) return [];
    const found = (next.get(name) ?? []).flatMap((one) => walk(one, [...way, name]));
    done.add(name);
    return found;
  };
  return [...new Set([...next.keys()].flatMap((name) => walk(name, [])))];
};

const targetsOf = (source: Source): readonly string[] =>
  importsOf(source).flatMap(({ specifier }) => leadsTo(source.path, specifier) ?? []);

const nothingGoesInCircles: Check = (sources) =>
  circlesOf(new Map(ofServer(sources).map((source) => [source.path, targetsOf(source)]))).map(
    (circle) => `These files import one another in a circle: ${circle}.`,
  );

/**
 * The folder. What stands at the front of a room (its door, its dependencies, its use cases), and the rows of a
 * chapter, which are handed those use cases, stand for themselves.
 */
const chapterOf = (path: string): string => {
  const folder = posix.dirname(path);
  const isFront = folder.split("/").length < 3 || posix.basename(path) === "routes.ts";
  return isFront ? path : folder;
};

const chaptersGoInNoCircles: Check = (sources) => {
  const next = new Map<string, string[]>();
  for (const source of ofServer(sources)) {
    const chapter = chapterOf(source.path);
    const others = targetsOf(source).map(chapterOf);
    next.set(chapter, [...(next.get(chapter) ?? []), ...others.filter((other) => other !== chapter)]);
  }
  return circlesOf(next)
    .filter((circle) => circle.split(", ").some((name) => !isCode(name)))
    .map((circle) => `These chapters import one another in a circle: ${circle}.`);
};

const mostInFolder = 20;

const foldersStaySmall: Check = (sources) =>
  [...Map.groupBy(sources.map(({ path }) => path).filter(isOfServer), (path) => posix.dirname(path))]
    .filter(([, paths]) => paths.length > mostInFolder)
    .map(([folder, paths]) => `${folder} has ${paths.length} files, and ${mostInFolder} are the most.`);

/** A room's one file, or its one folder when that is too much for a file. */
const isStore = (path: string): boolean => new RegExp(`^src/(${rooms.join("|")})/store(\\.ts$|/)`).test(path);

const onlyStoresHaveSql: Check = (sources) =>
  ofServer(sources)
    .filter(({ path }) => [...rooms, "app", "cli", "main"].includes(roomOf(path)))
    .filter(({ path }) => !isStore(path))
    .filter(
      (source) =>
        importsOf(source).some(
          ({ specifier, names }) => /^kysely(\/|$)/.test(specifier) && names.length > 0,
        ) ||
        /\.(selectFrom|insertInto|replaceInto|updateTable|deleteFrom|mergeInto)\(|\bsql(<|`)/.test(
          codeOf(source),
        ),
    )
    .map(({ path }) => `${path} asks the database: in a room only its store does.`);

const onlyConfigReadsTheEnvironment: Check = (sources) =>
  ofServer(sources)
    .filter(({ path }) => path !== "src/kernel/config.ts")
    .filter(
      (source) =>
        /\bprocess\s*(\.\s*env\b|\[\s*["']env)/.test(codeOf(source)) ||
        importsOf(source).some(
          ({ specifier, names }) => /^(node:)?process$/.test(specifier) && names.length > 0,
        ),
    )
    .map(({ path }) => `${path} reads the environment: only src/kernel/config.ts does.`);

const outbound = /^src\/kernel\/outbound\/[a-z-]+\.ts$/;
/** Who may open connections, and to whom. */
const opensConnections: Readonly<Record<string, RegExp>> = {
  undici: outbound,
  nodemailer: /^src\/kernel\/mail\/transport\.smtp\.ts$/,
  pg: /^src\/kernel\/db\/postgres(-pool)?\.ts$/,
};
const networkModule = /^(node:)?(http|https|http2|net|tls|dgram)$/;
const opening =
  /^(\*|request|get|connect|createConnection|createSocket|Agent|globalAgent|ClientRequest|(TLS)?Socket)$/;

const onlyOutboundCallsThirdParties: Check = (sources) =>
  ofServer(sources)
    .filter(({ path }) => !outbound.test(path))
    .flatMap((source) => {
      const { path } = source;
      const calls = /(?<![.\w])fetch\s*\(|\bglobalThis\s*\.\s*fetch\b|\bnew\s+(WebSocket|EventSource)\b/;
      const byImport = importsOf(source).filter(
        ({ specifier, names }) =>
          (networkModule.test(specifier) && names.some((name) => opening.test(name))) ||
          (specifier in opensConnections && names.length > 0 && !opensConnections[specifier]?.test(path)),
      );
      return byImport.length > 0 || calls.test(codeOf(source))
        ? [`${path} opens connections: only src/kernel/outbound calls third parties.`]
        : [];
    });

/** Who may open sealed values, and what is in them. */
const opensSealed: Readonly<Record<string, string>> = {
  "src/accounts/signing/signing-keys.ts": "the key that signs sessions",
  "src/connect/vault/vault.ts": "credentials of connections, and secret settings of integrations",
  "src/connect/webhooks/seals.ts": "secrets that sign webhooks, and webhooks on their way",
  "src/accounts/mailing/mail-codes.ts": "a code, for a mail that says it again",
  "src/accounts/credentials/tokens.ts": "an API token, for its owner's eyes",
  "src/kernel/crypto/server-secrets.ts": "the keys of keyed digests",
  "src/kernel/mail/queue.ts": "a mail on its way",
};

const onlyListedFilesOpenSeals: Check = (sources) =>
  ofServer(sources)
    .filter(({ path }) => !(path in opensSealed))
    .filter((source) =>
      importsOf(source).some(
        ({ specifier, names }) =>
          leadsTo(source.path, specifier) === "src/kernel/crypto/envelope.ts" &&
          names.some((name) => name === "open" || name === "*"),
      ),
    )
    .map(({ path }) => `${path} opens sealed values and is not among those that may.`);

const longest = 350;

const filesStaySmall: Check = (sources) =>
  sources
    .filter(({ path }) => isCode(path) && !path.includes(".generated."))
    .map(({ path, text }) => ({ path, lines: text.trimEnd().split("\n").length }))
    .filter(({ lines }) => lines > longest)
    .map(({ path, lines }) => `${path} has ${lines} lines, and ${longest} are the most.`);

const banned = "utils? helpers? common lib misc managers? services? base".replaceAll(" ", "|");

const namesSayWhatItIs: Check = (sources) =>
  sources
    .map(({ path }) => path)
    .filter((path) => isCode(path))
    // The last word of a name is the thing it names.
    .filter((path) => new RegExp(`(^|[/-])(${banned})(\\.[a-z.]+)?(/|$)`).test(path))
    .map((path) => `${path} has a name that says nothing.`);

const exportsHaveNames: Check = (sources) =>
  ofServer(sources)
    .filter((source) => /^export\s+(default\b|\{[^}]*\bas\s+default\b|\*)/m.test(codeOf(source)))
    .map(({ path }) => `${path} has an export without a name.`);

const doorsAreAtTheFront: Check = (sources) =>
  ofServer(sources)
    .filter(
      ({ path }) =>
        posix.basename(path) === "index.ts" && !/^(src\/[a-z]+|migrations)\/index\.ts$/.test(path),
    )
    .map(({ path }) => `${path} is a door, and doors are only at the front of a room.`);

const noFileKnowsAMachine: Check = (sources) =>
  sources
    .filter(({ text }) => /(^|[\s"'`(=:])(\/(root|work)\/|\/(home|Users)\/\w|[A-Z]:\\Users\\)/m.test(text))
    .map(({ path }) => `${path} has a path of somebody's machine in it.`);

const checks: readonly Check[] = [
  roomsMeetOnlyWhereTheyMay,
  nothingGoesInCircles,
  chaptersGoInNoCircles,
  onlyStoresHaveSql,
  onlyConfigReadsTheEnvironment,
  onlyOutboundCallsThirdParties,
  onlyListedFilesOpenSeals,
  filesStaySmall,
  foldersStaySmall,
  namesSayWhatItIs,
  exportsHaveNames,
  doorsAreAtTheFront,
  noFileKnowsAMachine,
];

export const breachesOf = (sources: readonly Source[]): readonly string[] =>
  checks.flatMap((check) => check(sources));
