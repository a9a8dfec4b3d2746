// A disk that can be filled: a small tmpfs where this process may mount one.
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk extends Disposable {
  readonly path: string;
  /** False where nothing could be mounted: the folder is an ordinary one, and `fill` does nothing. */
  readonly isReal: boolean;
  fill(): void;
  empty(): void;
}

export function mountSmallDisk(bytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "small-disk-"));
  const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path], {
    stderr: "ignore",
  });
  const isReal = mount.exitCode === 0;
  const ballast = join(path, "ballast");
  return {
    path,
    isReal,
    fill() {
      if (!isReal) return;
      const chunk = Buffer.alloc(64 * 1024);
      try {
        for (;;) writeFileSync(ballast, chunk, { flag: "a" });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    },
    empty() {
      try {
        unlinkSync(ballast);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    },
    [Symbol.dispose]() {
      if (isReal) Bun.spawnSync(["umount", "-l", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
