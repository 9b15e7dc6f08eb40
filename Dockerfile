# crosstrust in a container: built from the packed tarball, run as nobody in particular, on a file system it need not write.
#
#   npm ci && npm run build && npm pack ./dist
#   docker build --tag crosstrust .
#   docker run --rm --read-only --tmpfs /tmp --volume "$PWD:/files:ro" crosstrust lint
#
# The sandbox keeps its state beside the federation file: for `--sandbox` mount the folder so that user 1000 may write it.
FROM node:24-slim
COPY crosstrust-*.tgz /opt/
RUN npm install --global --ignore-scripts --no-audit --no-fund /opt/crosstrust-*.tgz && rm /opt/crosstrust-*.tgz && npm cache clean --force
# Compiled code is not kept: there is no folder of the user's own that outlives a run.
ENV NODE_DISABLE_COMPILE_CACHE=1 HOME=/tmp
USER node
WORKDIR /files
ENTRYPOINT ["crosstrust"]
CMD ["--help"]
