/** hash-wasm's browser build defines this global. */
interface Md5Hasher {
  init(): Md5Hasher;
  update(data: Uint8Array): Md5Hasher;
  digest(): string;
  save(): Uint8Array;
  load(state: Uint8Array): Md5Hasher;
}

declare var hashwasm: { createMD5(): Promise<Md5Hasher> };

/** Dropzone's browser build defines this global; Dropzone has no types of its own. */
declare var Dropzone: any;

/** Parts of File System Access that TypeScript's own declarations lack. */
interface FileSystemHandle {
  queryPermission?(descriptor?: { mode: "read" | "readwrite" }): Promise<PermissionState>;
  requestPermission?(descriptor?: { mode: "read" | "readwrite" }): Promise<PermissionState>;
}
