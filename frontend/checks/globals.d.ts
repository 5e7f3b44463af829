/** hash-wasm's build for browsers puts its functions here. */
interface Md5Hasher {
  init(): Md5Hasher;
  update(data: Uint8Array): Md5Hasher;
  digest(): string;
  save(): Uint8Array;
  load(state: Uint8Array): Md5Hasher;
}

declare var hashwasm: { createMD5(): Promise<Md5Hasher> };

/** Dropzone's build for browsers puts its class here; it has no types of its own. */
declare var Dropzone: any;

/** File System Access, where TypeScript's own declarations lack it. */
interface FileSystemHandle {
  queryPermission?(descriptor?: { mode: "read" | "readwrite" }): Promise<PermissionState>;
  requestPermission?(descriptor?: { mode: "read" | "readwrite" }): Promise<PermissionState>;
}
