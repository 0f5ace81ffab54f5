/** Put into the worker by esbuild, as bytes. */
declare module "*.bin" {
  const bytes: Uint8Array;
  export default bytes;
}
declare module "*-weights_manifest.json" {
  const manifest: unknown;
  export default manifest;
}
