# The workbook for a class or a cloud: docker build -t workbook . && docker run -p 8888:8888 workbook
FROM python:3.12-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev make \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --create-home student
USER student
WORKDIR /home/student/workbook
COPY --chown=student . .
RUN python -c "from tools import environment; raise SystemExit(environment.main('lab'))"
EXPOSE 8888
CMD ["python", "workbook.py", "lab", "--ip=0.0.0.0", "--no-browser"]
