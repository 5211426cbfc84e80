// Imported before the server: each of these signals is a fault that nobody catches.

process.on("SIGUSR2", () => {
  throw new Error("Thrown at https://user:hunter22@example.com/");
});

process.on("SIGALRM", () => {
  void Promise.reject(new Error("Rejected with Bearer hunter22hunter22"));
});

// No error at all.
process.on("SIGWINCH", () => AbortSignal.abort("hunter22").throwIfAborted());
process.on("SIGURG", () => {
  const rejects = async (): Promise<void> => AbortSignal.abort("hunter22").throwIfAborted();
  void rejects();
});
