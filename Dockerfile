# The student's page, put together from our sources and npm's packages.
FROM node:22-slim AS page
WORKDIR /app/streaming/frontend
COPY streaming/frontend/package.json streaming/frontend/package-lock.json streaming/frontend/.npmrc ./
RUN npm ci
COPY answers/spoken_words.json ../../answers/
COPY streaming/frontend ./
RUN npm run build

FROM python:3.11-slim AS packages
COPY requirements.txt ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir -r requirements.txt

FROM python:3.11-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
COPY --from=packages /venv /venv
COPY manage.py ./
COPY accounts accounts
COPY answers answers
COPY streaming streaming
COPY tutor tutor
COPY --from=page /app/streaming/frontend/dist streaming/frontend/dist
# These values hold for this one command; the image has no settings of its own.
RUN SECRET_KEY=only-to-collect-the-static-files-of-the-image ALLOWED_HOSTS=localhost python manage.py collectstatic --noinput && python -m compileall -q accounts answers streaming tutor
USER 10001:10001
EXPOSE 8000
HEALTHCHECK --interval=5s --timeout=3s --start-period=30s --start-interval=1s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://localhost:8000/healthz', timeout=2)"]
# Exec form, so that SIGTERM reaches the server: it pauses whom it plays for, and ends.
CMD ["python", "-m", "tutor.serve", "--host", "0.0.0.0", "--port", "8000"]
