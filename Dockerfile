# Two images from one file (docs/operations.md):
#   docker build --target cpu -t promptist .
#   docker build --target gpu -t promptist:gpu .

FROM node:22-bookworm-slim AS node

FROM node AS packages
RUN apt-get update && apt-get install -y --no-install-recommends python3 make g++ && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/local-discord/package.json packages/local-discord/
# Of all install scripts only this one has work to do. Compiled with the image's own headers, so that nothing is
# downloaded but what the lock file names with its hash.
RUN npm ci --ignore-scripts \
 && npm_config_build_from_source=true npm_config_nodedir=/usr/local npm rebuild better-sqlite3

FROM packages AS program
COPY tsconfig.json tsconfig.build.json ./
COPY scripts/copy-assets.mjs scripts/
COPY packages/local-discord/tsconfig.json packages/local-discord/tsconfig.build.json packages/local-discord/
COPY packages/local-discord/src packages/local-discord/src
COPY src src
RUN npm run build

FROM packages AS production
# And without what no code of this image reaches: the browser's runtime, other systems' binaries, SQLite's sources.
RUN npm prune --omit=dev --ignore-scripts \
 && cd node_modules \
 && find onnxruntime-node/bin -type f ! -path "*/linux/$(node -p process.arch)/*" -delete \
 && find better-sqlite3/build -type f ! -path '*/Release/better_sqlite3.node' -delete \
 && rm -r onnxruntime-web better-sqlite3/deps better-sqlite3/src

FROM node AS cpu
# As the first process of a container node would ignore SIGTERM until the bot is up.
# The fonts write what the program's own font lacks onto pictures: Chinese, Japanese, Korean, emoji. fontconfig's
# configuration scales the emoji.
RUN apt-get update \
 && apt-get install -y --no-install-recommends tini fontconfig-config fonts-wqy-microhei fonts-noto-color-emoji \
 && rm -rf /var/lib/apt/lists/*
# Two heaps of glibc for all threads: with one for each, the bot keeps a third more memory (docs/reliability.md).
ENV NODE_ENV=production MALLOC_ARENA_MAX=2 DATA_DIR=/data CHECKPOINTS_DIR=/app/checkpoints DEVICE=cpu METRICS_PORT=9464
RUN mkdir -m 700 /data && chown node:node /data && ln -s /app/bin/promptist.js /usr/local/bin/promptist
WORKDIR /app
COPY checkpoints/miniature checkpoints/miniature
COPY --from=production /app/node_modules node_modules
# node_modules/local-discord is a link to here.
COPY packages/local-discord/package.json packages/local-discord/
COPY --from=program /app/packages/local-discord/dist packages/local-discord/dist
COPY package.json LICENSE THIRD_PARTY_NOTICES ./
COPY bin bin
COPY --from=program /app/dist dist
USER node
# An image that cannot run is not built.
RUN promptist doctor
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
# The bot's thread answers and its queue can be read; what Discord does is in the metrics themselves.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
  CMD ["node", "--input-type=module", "-e", "process.exit((await fetch(`http://127.0.0.1:${process.env.METRICS_PORT}/metrics`)).ok ? 0 : 1)"]
ENTRYPOINT ["tini", "--", "promptist"]
CMD ["start"]

FROM cpu AS gpu
USER root
# WebGPU runs over Vulkan: its loader, and Mesa's drivers for AMD and Intel. NVIDIA's come from the host,
# and need libxext6.
RUN apt-get update && apt-get install -y --no-install-recommends libvulkan1 libxext6 mesa-vulkan-drivers && rm -rf /var/lib/apt/lists/*
ENV DEVICE=auto NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=all
USER node
