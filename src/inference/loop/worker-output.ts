/**
 * What WebGPU's Dawn prints on a machine without a Vulkan driver: a warning and its place in the source. The
 * device's note already says that no GPU could be opened.
 */
const NO_DRIVER = /Couldn't load Vulkan|dawn-src[\\/]/;

/** The severity of a line printed by a worker or a native library. */
export const levelOfOutput = (line: string): "debug" | "warn" => (NO_DRIVER.test(line) ? "debug" : "warn");
