/**
 * Who writes to a SQLite file takes turns, and those who came at about the same time share one commit: of its cost
 * nearly all is the wait for the disk, during which nothing else of the process runs.
 *
 * A group begins behind the callbacks of one turn of the event loop, so that a flood of requests that arrive together
 * is one commit. Its members run one after the other, each within a savepoint of one transaction, and each hears that it
 * is done when the whole is on the disk. Then the event loop has its turn, so that those who only read are answered
 * between any two groups, however many wait to write.
 */
import { performance } from "node:perf_hooks";
import { setImmediate } from "node:timers/promises";

/** As long as a group may grow, in milliseconds: reads wait for it, and other processes that want to write. */
const groupMs = 5;
/** A rolled back disk takes all of them along. */
const mostMembers = 100;

export type Ending = "commit" | "rollback";

/** What a group does to the file; each statement is one of SQLite's own. */
export type GroupDeps = {
  readonly run: (
    statement: "commit" | "rollback" | "savepoint member" | "rollback to member" | "release member",
  ) => void;
  /** Takes the file's lock. @param since when the first member came: for others nobody waits without an end */
  readonly begin: (since: number) => Promise<void>;
  /** Whether SQLite is still in the transaction that was begun: when a disk fails it may end one by itself. */
  readonly isOpen: () => boolean;
};

/** One that wants to write. */
class Member {
  readonly since = performance.now();
  readonly turn = Promise.withResolvers<void>();
  readonly over = Promise.withResolvers<Ending>();
  readonly settled = Promise.withResolvers<void>();
  /** For a statement that SQLite takes outside of transactions only. */
  readonly isAlone: boolean;

  constructor(isAlone: boolean) {
    this.isAlone = isAlone;
    // Nobody listens to it before the turn has come.
    this.settled.promise.catch(() => undefined);
  }

  fail(error: unknown): void {
    this.turn.reject(error);
    this.settled.reject(error);
  }
}

export type Turn = {
  /**
   * Gives the turn on.
   * @returns when what the group has written is on the disk, and so what this member has read of the others is true
   * @throws what the disk said, when nothing of the group is
   */
  end(how: Ending): Promise<void>;
};

export class GroupCommit {
  readonly #deps: GroupDeps;
  readonly #waiting: Member[] = [];
  #isServing = false;
  /** Why SQLite rolled the group back that is under way. */
  #lost: { readonly error: unknown } | undefined;

  constructor(deps: GroupDeps) {
    this.#deps = deps;
  }

  /** Waits for a turn. Who has it writes alone, until it ends. */
  async turn(kind: "joins" | "alone"): Promise<Turn> {
    const member = new Member(kind === "alone");
    this.#waiting.push(member);
    if (!this.#isServing) void this.#serve();
    await member.turn.promise;
    return {
      end: (how) => {
        member.over.resolve(how);
        return member.settled.promise;
      },
    };
  }

  /** A statement of the member whose turn it is. What follows the loss of the group must not be written by itself. */
  write<Result>(statement: () => Result): Result {
    if (this.#lost) throw this.#lost.error;
    try {
      return statement();
    } catch (error) {
      if (!this.#deps.isOpen()) this.#lost = { error };
      throw error;
    }
  }

  async #serve(): Promise<void> {
    this.#isServing = true;
    for (;;) {
      await setImmediate();
      const first = this.#waiting.shift();
      if (!first) break;
      await (first.isAlone ? this.#serveAlone(first) : this.#serveGroup(first));
    }
    this.#isServing = false;
  }

  async #serveAlone(member: Member): Promise<void> {
    member.turn.resolve();
    await member.over.promise;
    member.settled.resolve();
  }

  async #serveGroup(first: Member): Promise<void> {
    try {
      await this.#deps.begin(first.since);
    } catch (error) {
      first.fail(error);
      return;
    }
    const members = [first];
    try {
      await this.#runMembers(members);
      for (const member of members) member.settled.resolve();
    } catch (error) {
      this.#leave();
      for (const member of members) member.fail(error);
    } finally {
      this.#lost = undefined;
    }
  }

  async #runMembers(members: Member[]): Promise<void> {
    const [first] = members;
    if (!first) return;
    const until = performance.now() + groupMs;
    // The first one needs no savepoint: there is nothing of others to be kept, and most are alone.
    if ((await this.#endOf(first)) === "rollback") {
      this.#deps.run("rollback");
      return;
    }
    while (members.length < mostMembers && performance.now() < until) {
      if (this.#waiting[0]?.isAlone !== false) break;
      const member = this.#waiting.shift();
      if (!member) break;
      members.push(member);
      this.#deps.run("savepoint member");
      if ((await this.#endOf(member)) === "rollback") this.#deps.run("rollback to member");
      this.#deps.run("release member");
    }
    this.#deps.run("commit");
  }

  async #endOf(member: Member): Promise<Ending> {
    member.turn.resolve();
    const how = await member.over.promise;
    if (this.#lost) throw this.#lost.error;
    return how;
  }

  /** A commit that failed leaves the transaction open, which would poison the handle. */
  #leave(): void {
    try {
      if (this.#deps.isOpen()) this.#deps.run("rollback");
    } catch {
      // The disk is to blame, and the members hear of that.
    }
  }
}
