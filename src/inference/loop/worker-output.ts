/**
 * What WebGPU's Dawn prints on a machine without a Vulkan driver, a warning and where in its source; that no GPU could be
 * opened is said by the device's note.
 */
const NO_DRIVER = /Couldn't load Vulkan|dawn-src[\\/]/;

/** How grave a line is that a worker or a native library printed. */
export const levelOfOutput = (line: string): "debug" | "warn" => (NO_DRIVER.test(line) ? "debug" : "warn");
