// A file system small enough to be filled: a tmpfs, where this process may mount one.
import { mkdtempSync, rmSync, unlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface SmallDisk extends Disposable {
  readonly path: string;
  /** False where nothing could be mounted: `path` is then an ordinary folder, and `fill` does nothing. */
  readonly isMounted: boolean;
  /** Uses up all free space. */
  fill(): void;
  /** Frees what `fill` used. */
  release(): void;
}

/** Unmounted and removed when disposed of. */
export function mountSmallDisk(bytes: number): SmallDisk {
  const path = mkdtempSync(join(tmpdir(), "small-disk-"));
  const mount = Bun.spawnSync(["mount", "-t", "tmpfs", "-o", `size=${bytes}`, "tmpfs", path], {
    stderr: "ignore",
  });
  const isMounted = mount.exitCode === 0;
  const ballast = join(path, "ballast");
  return {
    path,
    isMounted,
    fill() {
      if (!isMounted) return;
      const chunk = Buffer.alloc(64 * 1024);
      try {
        for (;;) writeFileSync(ballast, chunk, { flag: "a" });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
      }
    },
    release() {
      try {
        unlinkSync(ballast);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    },
    [Symbol.dispose]() {
      if (isMounted) Bun.spawnSync(["umount", "-l", path]);
      rmSync(path, { recursive: true, force: true });
    },
  };
}
