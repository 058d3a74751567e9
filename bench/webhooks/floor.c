// What the machine gives: signed posts by libcurl's multi interface on one epoll, nothing else. Built by run.py.
//   floor PORT COUNT CONCURRENCY
#include <curl/curl.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

struct post {
    CURL *easy;
    struct curl_slist *fields;
    char body[1024];
};

static CURLM *multi;
static int polls, waits = -1;
static long port, count, begun, accepted, failed;

static int watch(CURL *easy, curl_socket_t socket, int what, void *unused, void *known) {
    (void)easy, (void)unused;
    struct epoll_event event = {.data.fd = socket};
    if (what & CURL_POLL_IN) event.events |= EPOLLIN;
    if (what & CURL_POLL_OUT) event.events |= EPOLLOUT;
    if (what == CURL_POLL_REMOVE) return epoll_ctl(polls, EPOLL_CTL_DEL, socket, &event), 0;
    epoll_ctl(polls, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, socket, &event);
    curl_multi_assign(multi, socket, &polls);
    return 0;
}

static int remember(CURLM *unused, long milliseconds, void *data) {
    (void)unused, (void)data;
    waits = (int)milliseconds;
    return 0;
}

static size_t drop(char *bytes, size_t size, size_t number, void *data) {
    (void)bytes, (void)data;
    return size * number;
}

static void begin(struct post *post) {
    char id[32], url[64], head[64], text[1100], field[160], spelt[64];
    unsigned char code[32];
    unsigned length;
    long number = begun++, now = time(NULL);
    snprintf(id, sizeof id, "msg_%012ld", number);
    snprintf(url, sizeof url, "http://127.0.1.%ld:%ld/hooks", number % 100 + 1, port);
    int size = snprintf(
        post->body, sizeof post->body,
        "{\"type\":\"lead.converted\",\"timestamp\":\"2026-11-23T10:00:00Z\",\"data\":{\"id\":\"0193a5b2-7c1e-7d3a-9f00-%012ld\","
        "\"company_id\":\"0193a5b2-7c1e-7d3a-9f00-5b1c2d3e4f50\",\"email\":\"mara@example.com\",\"stage\":\"won\","
        "\"value_cents\":125000,\"currency\":\"EUR\",\"owner\":{\"id\":\"0193a5b2-7c1e-7d3a-9f00-5b1c2d3e4f51\","
        "\"name\":\"Mara Lind\"},\"converted_at\":\"2026-11-23T09:59:58Z\"},\"due\":0}", number);
    int whole = snprintf(text, sizeof text, "%s.%ld.%s", id, now, post->body);
    HMAC(EVP_sha256(), "0123456789abcdef0123456789abcdef", 32, (unsigned char *)text, (size_t)whole, code, &length);
    EVP_EncodeBlock((unsigned char *)spelt, code, 32);
    curl_slist_free_all(post->fields);
    post->fields = curl_slist_append(NULL, "content-type: application/json");
    snprintf(head, sizeof head, "webhook-id: %s", id);
    curl_slist_append(post->fields, head);
    snprintf(head, sizeof head, "webhook-timestamp: %ld", now);
    curl_slist_append(post->fields, head);
    snprintf(field, sizeof field, "webhook-signature: v1,%s", spelt);
    curl_slist_append(post->fields, field);
    curl_slist_append(post->fields, "Expect:");
    curl_easy_setopt(post->easy, CURLOPT_URL, url);
    curl_easy_setopt(post->easy, CURLOPT_HTTPHEADER, post->fields);
    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDS, post->body);
    curl_easy_setopt(post->easy, CURLOPT_POSTFIELDSIZE, (long)size);
    curl_multi_add_handle(multi, post->easy);
}

int main(int words, char **word) {
    if (words != 4) return 64;
    port = atol(word[1]), count = atol(word[2]);
    long concurrency = atol(word[3]);
    struct timespec start, end;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    multi = curl_multi_init();
    polls = epoll_create1(0);
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, watch);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, remember);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, 512L);
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (long index = 0; index < concurrency; index++) {
        struct post *post = calloc(1, sizeof *post);
        post->easy = curl_easy_init();
        curl_easy_setopt(post->easy, CURLOPT_PRIVATE, post);
        curl_easy_setopt(post->easy, CURLOPT_WRITEFUNCTION, drop);
        curl_easy_setopt(post->easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(post->easy, CURLOPT_TIMEOUT_MS, 15000L);
        begin(post);
    }
    while (accepted + failed < count) {
        struct epoll_event events[256];
        int running, left, ready = epoll_wait(polls, events, 256, waits < 0 || waits > 100 ? 100 : waits);
        if (ready == 0) curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
        for (int index = 0; index < ready; index++) {
            int mask = (events[index].events & EPOLLIN ? CURL_CSELECT_IN : 0) | (events[index].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                | (events[index].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[index].data.fd, mask, &running);
        }
        for (CURLMsg *message; (message = curl_multi_info_read(multi, &left));) {
            struct post *post;
            long status = 0;
            CURL *easy = message->easy_handle;
            CURLcode result = message->data.result;
            curl_easy_getinfo(easy, CURLINFO_PRIVATE, &post);
            curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
            if (result == CURLE_OK && status / 100 == 2) accepted++; else failed++;
            curl_multi_remove_handle(multi, easy);
            if (begun < count) begin(post);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("{\"ok\":%ld,\"failed\":%ld,\"seconds\":%.4f}\n", accepted, failed,
           (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9);
    return 0;
}
