# Two images from one file (docs/operations.md):
#   docker build --target cpu -t promptist .
#   docker build --target gpu -t promptist:gpu .

FROM node:22-bookworm-slim AS build
# For better-sqlite3, where there is no prebuilt binary for this machine.
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc tsconfig.json tsconfig.build.json ./
COPY scripts scripts
COPY bin bin
COPY src src
# Compiles, by the package's own prepare script.
RUN npm ci && npm prune --omit=dev --ignore-scripts

FROM node:22-bookworm-slim AS cpu
WORKDIR /app
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY package.json .npmrc ./
COPY bin bin
COPY checkpoints/miniature checkpoints/miniature
RUN mkdir -m 700 /data && chown node:node /data
ENV NODE_ENV=production DATA_DIR=/data CHECKPOINTS_DIR=/app/checkpoints DEVICE=cpu
VOLUME /data
USER node
STOPSIGNAL SIGTERM
CMD ["node", "bin/promptist.js", "start"]

FROM cpu AS gpu
USER root
# WebGPU runs over Vulkan: its loader, and Mesa's drivers for AMD and Intel. NVIDIA's come from the host.
RUN apt-get update && apt-get install -y --no-install-recommends libvulkan1 mesa-vulkan-drivers && rm -rf /var/lib/apt/lists/*
ENV DEVICE=auto NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=all
USER node
