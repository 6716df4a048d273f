/* A stand-in for NVIDIA's libnvidia-ml.so, for machines without a GPU: the entry points that the agent calls, with answers
 * that follow from a text file beside the library (its own path with ".txt" added), which is read at each call:
 *
 *     gpus 8                 how many there are
 *     lost 3                 that one has fallen off the bus
 *     mig 2                  that one is divided into two partitions
 *     fail FUNCTION          that function is not supported
 *     hang FUNCTION          that function does not come back while the line is there
 *     xid 1 31               once: that GPU had that error
 *
 * Built with -DWITHOUT_GPM or -DWITHOUT_FIELDS it lacks what old drivers lack.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

typedef int Return;
typedef unsigned long long u64;
enum { OK = 0, INVALID = 2, UNSUPPORTED = 3, NOT_FOUND = 6, SMALL = 7, TIMEOUT = 10, LOST = 15 };

/* A handle is a number plus one; a partition's is a hundred times its number, plus its GPU's. */
typedef void *Device;
static unsigned gpu_of(Device device) { return ((unsigned)(uintptr_t)device - 1) % 100; }
static unsigned part_of(Device device) { return ((unsigned)(uintptr_t)device - 1) / 100; }
static Device device(unsigned gpu, unsigned part) { return (Device)(uintptr_t)(gpu + 100 * part + 1); }

/* Calls `see` with each line's words, until it answers something. */
static int lines(int (*see)(const char *word, const char *rest, const void *with), const void *with) {
    Dl_info self;
    char path[4096], line[256];
    if (!dladdr((void *)lines, &self)) return 0;
    snprintf(path, sizeof path, "%s.txt", self.dli_fname);
    FILE *file = fopen(path, "r");
    if (!file) return 0;
    int answer = 0;
    while (!answer && fgets(line, sizeof line, file)) {
        char word[32] = "", rest[128] = "";
        if (sscanf(line, "%31s %127[^\n]", word, rest) == 2) answer = see(word, rest, with);
    }
    fclose(file);
    return answer;
}

struct Wanted { const char *word, *rest; };

static int is_wanted(const char *word, const char *rest, const void *with) {
    const struct Wanted *wanted = with;
    return !strcmp(word, wanted->word) && !strcmp(rest, wanted->rest);
}

static int has(const char *word, const char *rest) {
    struct Wanted wanted = {word, rest};
    return lines(is_wanted, &wanted);
}

static int has_number(const char *word, unsigned number) {
    char rest[16];
    snprintf(rest, sizeof rest, "%u", number);
    return has(word, rest);
}

static int number(const char *word, const char *rest, const void *with) {
    unsigned value = 0;
    return !strcmp(word, with) && sscanf(rest, "%u", &value) == 1 ? (int)value : 0;
}

/* What happens before each answer. */
static Return before(const char *function, Device device) {
    while (has("hang", function)) usleep(20000);
    if (has("fail", function)) return UNSUPPORTED;
    if (device && has_number("lost", gpu_of(device))) return LOST;
    return OK;
}

#define CALL(device) do { Return result = before(__func__, device); if (result != OK) return result; } while (0)
#define NUMBER(name, type, value) Return name(Device device, type *out) { CALL(device); *out = (value); return OK; }

Return nvmlInit_v2(void) { CALL(0); return OK; }
Return nvmlShutdown(void) { return OK; }
Return nvmlSystemGetDriverVersion(char *text, unsigned size) { CALL(0); snprintf(text, size, "580.95.05"); return OK; }
Return nvmlSystemGetNVMLVersion(char *text, unsigned size) { CALL(0); snprintf(text, size, "13.580.95.05"); return OK; }
Return nvmlSystemGetCudaDriverVersion_v2(int *version) { CALL(0); *version = 13000; return OK; }
Return nvmlDeviceGetCount_v2(unsigned *count) { CALL(0); *count = (unsigned)lines(number, "gpus"); return OK; }

Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device *out) {
    CALL(0);
    if (index >= (unsigned)lines(number, "gpus")) return INVALID;
    *out = device(index, 0);
    return OK;
}

Return nvmlDeviceGetUUID(Device device, char *text, unsigned size) {
    CALL(device);
    snprintf(text, size, "%s-00000000-0000-0000-%04u-%012u", part_of(device) ? "MIG" : "GPU", part_of(device), gpu_of(device));
    return OK;
}

Return nvmlDeviceGetName(Device device, char *text, unsigned size) {
    CALL(device);
    snprintf(text, size, "NVIDIA H100 80GB HBM3%s", part_of(device) ? " MIG 1g.10gb" : "");
    return OK;
}

Return nvmlDeviceGetSerial(Device device, char *text, unsigned size) { CALL(device); snprintf(text, size, "16500%u", gpu_of(device)); return OK; }
Return nvmlDeviceGetVbiosVersion(Device device, char *text, unsigned size) { CALL(device); snprintf(text, size, "96.00.A5.00.01"); return OK; }

struct Pci { char legacy[16]; unsigned domain, bus, device, id, subsystem; char text[32]; };
Return nvmlDeviceGetPciInfo_v3(Device device, struct Pci *pci) {
    CALL(device);
    memset(pci, 0, sizeof *pci);
    pci->bus = 0x53 + gpu_of(device);
    snprintf(pci->legacy, sizeof pci->legacy, "0000:%02X:00.0", pci->bus);
    snprintf(pci->text, sizeof pci->text, "00000000:%02X:00.0", pci->bus);
    return OK;
}

NUMBER(nvmlDeviceGetMinorNumber, unsigned, gpu_of(device))
NUMBER(nvmlDeviceGetMaxPcieLinkGeneration, unsigned, 5)
NUMBER(nvmlDeviceGetMaxPcieLinkWidth, unsigned, 16)
NUMBER(nvmlDeviceGetCurrPcieLinkGeneration, unsigned, 5)
NUMBER(nvmlDeviceGetCurrPcieLinkWidth, unsigned, 8)
NUMBER(nvmlDeviceGetPcieReplayCounter, unsigned, 2)
NUMBER(nvmlDeviceGetVirtualizationMode, unsigned, 1)
NUMBER(nvmlDeviceGetCurrentClocksThrottleReasons, u64, 0x24)
NUMBER(nvmlDeviceGetPowerUsage, unsigned, 612500)
NUMBER(nvmlDeviceGetPowerManagementLimit, unsigned, 700000)
NUMBER(nvmlDeviceGetTotalEnergyConsumption, u64, 123456789)
NUMBER(nvmlDeviceGetMaxMigDeviceCount, unsigned, 7)
NUMBER(nvmlDeviceGetGpuInstanceId, unsigned, 6 + part_of(device))

Return nvmlDeviceGetCudaComputeCapability(Device device, int *major, int *minor) { CALL(device); *major = 9; *minor = 0; return OK; }
Return nvmlDeviceGetMaxClockInfo(Device device, unsigned which, unsigned *mhz) { CALL(device); *mhz = which == 2 ? 2619 : 1980; return OK; }
Return nvmlDeviceGetClockInfo(Device device, unsigned which, unsigned *mhz) { CALL(device); *mhz = which == 2 ? 2619 : 1755; return OK; }
Return nvmlDeviceGetTemperatureThreshold(Device device, unsigned which, unsigned *degrees) { CALL(device); *degrees = 95 - which; return OK; }
Return nvmlDeviceGetTemperature(Device device, unsigned which, unsigned *degrees) { CALL(device); *degrees = 50 + which + gpu_of(device); return OK; }
Return nvmlDeviceGetUtilizationRates(Device device, unsigned out[2]) { CALL(device); out[0] = 97; out[1] = 41; return OK; }
Return nvmlDeviceGetEncoderUtilization(Device device, unsigned *use, unsigned *period) { CALL(device); *use = 1; *period = 100; return OK; }
Return nvmlDeviceGetDecoderUtilization(Device device, unsigned *use, unsigned *period) { CALL(device); *use = 2; *period = 100; return OK; }
Return nvmlDeviceGetP2PStatus(Device device, Device other, unsigned which, unsigned *status) { CALL(device); *status = which == 2 && gpu_of(other) != 1 ? 0 : 5; return OK; }
Return nvmlDeviceGetViolationStatus(Device device, unsigned policy, u64 out[2]) { CALL(device); out[0] = 1; out[1] = 1000 + policy; return OK; }
Return nvmlDeviceGetTotalEccErrors(Device device, unsigned error, unsigned counter, u64 *count) { CALL(device); *count = 10 * error + counter; return OK; }
Return nvmlDeviceGetRetiredPages_v2(Device device, unsigned cause, unsigned *count, u64 *addresses, u64 *times) { (void)device, (void)cause, (void)count, (void)addresses, (void)times; return UNSUPPORTED; }

struct Memory { unsigned version; u64 total, reserved, free, used; };
Return nvmlDeviceGetMemoryInfo_v2(Device device, struct Memory *memory) {
    CALL(device);
    u64 gib = part_of(device) ? 10 : 80;
    memory->total = gib << 30, memory->reserved = 1 << 30, memory->used = (gib / 2) << 30, memory->free = (gib / 2 - 1) << 30;
    return OK;
}

Return nvmlDeviceGetMigMode(Device device, unsigned *now, unsigned *later) {
    CALL(device);
    *now = *later = has_number("mig", gpu_of(device)) ? 1 : 0;
    return OK;
}

Return nvmlDeviceGetMigDeviceHandleByIndex(Device parent, unsigned index, Device *out) {
    CALL(parent);
    if (index > 1) return NOT_FOUND;
    *out = device(gpu_of(parent), index + 1);
    return OK;
}

struct Process { unsigned pid; u64 memory; unsigned gpu_instance, compute_instance; };
Return nvmlDeviceGetComputeRunningProcesses_v3(Device device, unsigned *count, struct Process *all) {
    CALL(device);
    unsigned room = *count;
    *count = 1;
    if (room < 1 || !all) return SMALL;
    all[0] = (struct Process){4711 + gpu_of(device), 1u << 30, ~0u, ~0u};
    return OK;
}

Return nvmlDeviceGetNvLinkState(Device device, unsigned link, unsigned *is_on) {
    CALL(device);
    if (link >= 18) return INVALID;
    *is_on = link != 17;
    return OK;
}

Return nvmlDeviceGetNvLinkErrorCounter(Device device, unsigned link, unsigned kind, u64 *count) {
    CALL(device);
    *count = link == 5 ? 100 + kind : 0;
    return OK;
}

#ifndef WITHOUT_FIELDS
struct Field { unsigned id, scope; long long at, latency; unsigned type; Return result; union { double real; unsigned whole; u64 big; } value; };
/* One second and one GB/s pass for a GPU's links between two questions for all of them. */
static u64 seconds[128];
Return nvmlDeviceGetFieldValues(Device device, int count, struct Field *fields) {
    CALL(device);
    for (int i = 0; i < count; i++) {
        struct Field *field = &fields[i];
        field->result = OK, field->type = 3;
        u64 links = field->scope == ~0u ? 18 : 1;
        if (field->id == 138 && field->scope == ~0u) seconds[gpu_of(device)]++;
        u64 now = seconds[gpu_of(device)];
        field->at = (long long)now * 1000000;
        switch (field->id) {
        case 82: field->type = 1, field->value.whole = 71; break;
        case 91: field->type = 1, field->value.whole = 18; break;
        case 138: case 139: field->value.big = now * links * 1000000; break;
        case 142: case 143: field->value.big = field->id - 141; break;
        case 144: case 145: field->type = 1, field->value.whole = 0; break;
        case 197: field->type = 0, field->value.real = 5e9; break;
        default: field->result = UNSUPPORTED;
        }
    }
    return OK;
}
#endif

#ifndef WITHOUT_GPM
struct Support { unsigned version, is_supported; };
struct Metric { unsigned id; Return result; double value; const char *names[3]; };
struct Metrics { unsigned version, count; void *one, *other; struct Metric all[210]; };
static int live_samples;
static char sample;
Return nvmlGpmQueryDeviceSupport(Device device, struct Support *support) { CALL(device); support->is_supported = 1; return OK; }
Return nvmlGpmSampleAlloc(void **out) { CALL(0); live_samples++; *out = &sample; return live_samples > 16 ? INVALID : OK; }
Return nvmlGpmSampleFree(void *out) { (void)out; live_samples--; return OK; }
Return nvmlGpmSampleGet(Device device, void *out) { (void)out; CALL(device); return OK; }
Return nvmlGpmMigSampleGet(Device device, unsigned part, void *out) { (void)part, (void)out; CALL(device); return OK; }
Return nvmlGpmMetricsGet(struct Metrics *metrics) {
    CALL(0);
    for (unsigned i = 0; i < metrics->count; i++) {
        metrics->all[i].result = metrics->all[i].id == 11 ? UNSUPPORTED : OK;
        metrics->all[i].value = metrics->all[i].id;
    }
    return OK;
}
#endif

struct Event { Device device; u64 type, data; unsigned gpu_instance, compute_instance; };
static int told;
static int left;
Return nvmlEventSetCreate(void **set) { CALL(0); *set = &told; return OK; }
Return nvmlEventSetFree(void *set) { (void)set; return OK; }
Return nvmlDeviceRegisterEvents(Device device, u64 types, void *set) { (void)set; CALL(device); return types == 8 ? OK : INVALID; }
static int next_xid(const char *word, const char *rest, const void *with) {
    struct Event *event = (struct Event *)with;
    unsigned gpu, xid;
    if (strcmp(word, "xid") || sscanf(rest, "%u %u", &gpu, &xid) != 2 || left-- > 0) return 0;
    event->device = device(gpu, 0), event->type = 8, event->data = xid;
    return 1;
}
Return nvmlEventSetWait_v2(void *set, struct Event *event, unsigned milliseconds) {
    (void)set;
    CALL(0);
    for (unsigned waited = 0; waited < milliseconds; waited += 20) {
        left = told;
        if (lines(next_xid, event)) return told++, OK;
        usleep(20000);
    }
    return TIMEOUT;
}
