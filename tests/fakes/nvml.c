// SPDX-License-Identifier: GPL-3.0-or-later
// A stand-in for NVIDIA's libnvidia-ml.so.1, for tests: it answers pynvml's calls from numbers that a test has set.
// Prototypes are written from the documentation. Like the real library it fills the whole of a buffer that it is given
// and writes 64 bits where 64 are due, so that a caller with too small a variable is found out.
// With -DOLDER the calls that an old driver does not have are left out.

#include <string.h>
#include <unistd.h>

typedef unsigned int u32;
typedef unsigned long long u64;

enum { OK = 0, INVALID = 2, NOT_SUPPORTED = 3, NOT_FOUND = 6, TOO_SMALL = 7, LOST = 15 };
enum { CARDS = 8, SHARES = 128, PROCESSES = 64 };
enum { GPU, MEMORY_BUSY, USED, TOTAL, HEAT, POWER, FAN, CLOCK, REASONS, MIG, RULE, FAILS, FANLESS, CARD_VALUES };
enum { FRAMEBUFFER, SESSIONS, FPS, LATENCY, LICENSED, LICENCE_STATE, EXPIRY, ENCODERS, SHARE_VALUES };

struct card { char bus[32]; u64 value[CARD_VALUES]; u32 attached; };
struct share {
  u32 number, card, type, vm_type;
  char vm[80], mdev[80];
  u64 value[SHARE_VALUES];
  u64 at; u32 load[4];
};
struct process { u32 card, pid, load[4]; u64 at, bytes; };
union value { double d; u32 u; u64 l; };

static struct card cards[CARDS];
static struct share shares[SHARES];
static struct process processes[PROCESSES];
static u32 card_count, share_count, process_count, opened, calls;
static int init_result;
static int held = -1;

// ---- what a test sets ---------------------------------------------------------------------------------------------

void fake_reset(void) {
  memset(cards, 0, sizeof cards);
  memset(shares, 0, sizeof shares);
  memset(processes, 0, sizeof processes);
  card_count = share_count = process_count = opened = calls = 0;
  init_result = OK;
  held = -1;
}
void fake_hold(int descriptor) { held = descriptor; }
void fake_init_result(int result) { init_result = result; }
u32 fake_card(const char *bus) { strncpy(cards[card_count].bus, bus, 31); return card_count++; }
void fake_set(u32 card, u32 what, u64 value) { cards[card].value[what] = value; }
u32 fake_attached(u32 card) { return cards[card].attached; }
u32 fake_open(void) { return opened; }
u32 fake_calls(void) { return calls; }
u32 fake_share(u32 number, u32 card, u32 type, const char *vm, u32 vm_type, const char *mdev) {
  struct share *share = &shares[share_count];
  memset(share, 0, sizeof *share);
  share->number = number; share->card = card; share->type = type; share->vm_type = vm_type;
  strncpy(share->vm, vm, 79); strncpy(share->mdev, mdev, 79);
  return share_count++;
}
void fake_share_ends(void) { share_count--; }
void fake_share_set(u32 place, u32 what, u64 value) { shares[place].value[what] = value; }
void fake_share_load(u32 place, u64 at, u32 core, u32 memory, u32 encode, u32 decode) {
  struct share *share = &shares[place];
  share->at = at; share->load[0] = core; share->load[1] = memory; share->load[2] = encode; share->load[3] = decode;
}
u32 fake_process(u32 card, u32 pid, u64 at, u32 core, u64 bytes) {
  struct process *process = &processes[process_count];
  process->card = card; process->pid = pid; process->at = at; process->load[0] = core; process->bytes = bytes;
  return process_count++;
}

// ---- what the library offers --------------------------------------------------------------------------------------

// Like a driver that hangs: nobody comes back from here before a byte can be read.
static void hang(void) {
  char byte;
  if (held >= 0 && read(held, &byte, 1) >= 0) held = -1;
}
static int card_of(void *handle, struct card **found) {
  calls++;
  hang();
  *found = (struct card *)handle;
  return (*found)->value[FAILS] ? (int)(*found)->value[FAILS] : OK;
}
static struct share *share_of(u32 number) {
  calls++;
  for (u32 i = 0; i < share_count; i++) if (shares[i].number == number) return &shares[i];
  return 0;
}
#define CARD struct card *card; int failed = card_of(handle, &card); if (failed) return failed
#define SHARE struct share *share = share_of(number); if (!share) return NOT_FOUND

const char *nvmlErrorString(int result) { return result == LOST ? "GPU is lost" : "an error"; }
int nvmlInitWithFlags(u32 flags) { (void)flags; if (init_result == OK) opened++; return init_result; }
int nvmlShutdown(void) { opened--; return OK; }
int nvmlDeviceGetCount_v2(u32 *count) { *count = card_count; return OK; }
int nvmlDeviceGetHandleByPciBusId_v2(const char *bus, void **handle) {
  for (u32 i = 0; i < card_count; i++) if (!strcmp(cards[i].bus, bus)) {
    if (cards[i].value[FAILS]) return (int)cards[i].value[FAILS];
    cards[i].attached++;
    *handle = &cards[i];
    return OK;
  }
  return NOT_FOUND;
}
int nvmlDeviceGetUtilizationRates(void *handle, u32 *rates) {
  CARD;
  if (card->value[MIG]) return NOT_SUPPORTED;
  rates[0] = (u32)card->value[GPU]; rates[1] = (u32)card->value[MEMORY_BUSY];
  return OK;
}
#ifndef OLDER
int nvmlDeviceGetMemoryInfo_v2(void *handle, struct { u32 version; u64 total, reserved, free, used; } *memory) {
  CARD;
  memory->total = card->value[TOTAL]; memory->used = card->value[USED]; memory->reserved = 1 << 20;
  memory->free = memory->total - memory->used;
  return OK;
}
int nvmlDeviceGetCurrentClocksEventReasons(void *handle, u64 *reasons) { CARD; *reasons = card->value[REASONS]; return OK; }
#endif
int nvmlDeviceGetCurrentClocksThrottleReasons(void *handle, u64 *reasons) { CARD; *reasons = card->value[REASONS]; return OK; }
int nvmlDeviceGetMemoryInfo(void *handle, struct { u64 total, free, used; } *memory) {
  CARD;
  memory->total = card->value[TOTAL]; memory->used = card->value[USED]; memory->free = memory->total - memory->used;
  return OK;
}
int nvmlDeviceGetTemperature(void *handle, u32 sensor, u32 *heat) { (void)sensor; CARD; *heat = (u32)card->value[HEAT]; return OK; }
int nvmlDeviceGetTemperatureV(void *handle, struct { u32 version, sensor; int heat; } *asked) { CARD; asked->heat = (int)card->value[HEAT]; return OK; }
int nvmlDeviceGetPowerUsage(void *handle, u32 *power) { CARD; *power = (u32)card->value[POWER]; return OK; }
int nvmlDeviceGetFanSpeed(void *handle, u32 *fan) { CARD; if (card->value[FANLESS]) return NOT_SUPPORTED; *fan = (u32)card->value[FAN]; return OK; }
int nvmlDeviceGetClockInfo(void *handle, u32 kind, u32 *clock) { (void)kind; CARD; *clock = (u32)card->value[CLOCK]; return OK; }
int nvmlDeviceGetMigMode(void *handle, u32 *now, u32 *pending) { CARD; *now = *pending = (u32)card->value[MIG]; return OK; }
int nvmlDeviceGetEncoderUtilization(void *handle, u32 *busy, u32 *period) { CARD; *busy = 7; *period = 1000; return OK; }
int nvmlDeviceGetDecoderUtilization(void *handle, u32 *busy, u32 *period) { CARD; *busy = 3; *period = 1000; return OK; }

static u32 on_card(struct card *card, u32 *numbers, u32 room) {
  u32 found = 0;
  for (u32 i = 0; i < share_count; i++) if (&cards[shares[i].card] == card) {
    if (numbers && found < room) numbers[found] = shares[i].number;
    found++;
  }
  return found;
}
int nvmlDeviceGetActiveVgpus(void *handle, u32 *count, u32 *numbers) {
  CARD;
  u32 found = on_card(card, numbers, *count), room = *count;
  *count = found;
  return found > room ? TOO_SMALL : OK;
}
int nvmlDeviceGetVgpuSchedulerState(void *handle, u32 *state) { CARD; state[0] = (u32)card->value[RULE]; return OK; }
int nvmlVgpuInstanceGetType(u32 number, u32 *type) { SHARE; *type = share->type; return OK; }
int nvmlVgpuInstanceGetVmID(u32 number, char *vm, u32 size, u32 *type) {
  SHARE;
  if (size != 80) return INVALID;
  memset(vm, 0, size);
  strcpy(vm, share->vm);
  *type = share->vm_type;
  return OK;
}
int nvmlVgpuInstanceGetMdevUUID(u32 number, char *uuid, u32 size) {
  SHARE;
  if (!share->mdev[0]) return NOT_SUPPORTED;
  memset(uuid, 0, size);
  strcpy(uuid, share->mdev);
  return OK;
}
int nvmlVgpuTypeGetName(u32 type, char *name, u32 *size) { (void)type; (void)size; strcpy(name, "GRID T4-4Q"); return OK; }
int nvmlVgpuTypeGetFramebufferSize(u32 type, u64 *bytes) { *bytes = (u64)type << 30; return OK; }
int nvmlVgpuTypeGetMaxInstances(void *handle, u32 type, u32 *count) { CARD; *count = 16 / type; return OK; }
int nvmlVgpuInstanceGetFbUsage(u32 number, u64 *bytes) { SHARE; *bytes = share->value[FRAMEBUFFER]; return OK; }
int nvmlVgpuInstanceGetFBCStats(u32 number, u32 *stats) {
  SHARE;
  stats[0] = (u32)share->value[SESSIONS]; stats[1] = (u32)share->value[FPS]; stats[2] = (u32)share->value[LATENCY];
  return OK;
}
int nvmlVgpuInstanceGetEncoderStats(u32 number, u32 *sessions, u32 *fps, u32 *latency) {
  SHARE;
  *sessions = (u32)share->value[ENCODERS]; *fps = 30; *latency = 5;
  return OK;
}
struct licence {
  unsigned char licensed;
  struct { u32 year; unsigned short month, day, hour, min, sec; unsigned char status; } expiry;
  u32 state;
};
int nvmlVgpuInstanceGetLicenseInfo_v2(u32 number, struct licence *licence) {
  SHARE;
  licence->licensed = (unsigned char)share->value[LICENSED];
  licence->expiry.year = 2026; licence->expiry.month = 12; licence->expiry.day = 3;
  licence->expiry.status = (unsigned char)share->value[EXPIRY];
  licence->state = (u32)share->value[LICENCE_STATE];
  return OK;
}
struct sample { u64 at; u32 number; union value load[6]; };
struct asked { u32 version, kind, count; u64 since; struct sample *samples; };
#ifndef OLDER
int nvmlDeviceGetVgpuInstancesUtilizationInfo(void *handle, struct asked *asked) {
  CARD;
  u32 all = on_card(card, 0, 0), newer = 0;
  if (!asked->samples || asked->count < all) { asked->count = all; return TOO_SMALL; }
  for (u32 i = 0; i < share_count; i++) if (&cards[shares[i].card] == card && shares[i].at > asked->since) {
    asked->samples[newer].at = shares[i].at;
    asked->samples[newer].number = shares[i].number;
    for (u32 part = 0; part < 4; part++) asked->samples[newer].load[part].u = shares[i].load[part];
    newer++;
  }
  asked->kind = 1;
  asked->count = newer;
  return newer ? OK : NOT_FOUND;
}
#endif
int nvmlDeviceGetVgpuUtilization(void *handle, u64 since, u32 *kind, u32 *count,
                                 struct { u32 number; u64 at; union value load[4]; } *samples) {
  CARD;
  u32 newer = 0, room = *count;
  *kind = 1;
  for (u32 i = 0; i < share_count; i++) if (&cards[shares[i].card] == card && shares[i].at > since) {
    if (samples && newer < room) {
      samples[newer].number = shares[i].number;
      samples[newer].at = shares[i].at;
      for (u32 part = 0; part < 4; part++) samples[newer].load[part].u = shares[i].load[part];
    }
    newer++;
  }
  *count = newer;
  return !newer ? NOT_FOUND : newer > room ? TOO_SMALL : OK;
}
int nvmlDeviceGetProcessUtilization(void *handle, struct { u32 pid; u64 at; u32 load[4]; } *samples, u32 *count, u64 since) {
  CARD;
  u32 newer = 0, room = *count;
  for (u32 i = 0; i < process_count; i++) if (&cards[processes[i].card] == card && processes[i].at > since) {
    if (samples && newer < room) {
      samples[newer].pid = processes[i].pid;
      samples[newer].at = processes[i].at;
      memcpy(samples[newer].load, processes[i].load, sizeof processes[i].load);
    }
    newer++;
  }
  *count = newer;
  return newer > room ? TOO_SMALL : OK;
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, u32 *count, struct { u32 pid; u64 bytes; u32 gi, ci; } *found) {
  CARD;
  u32 all = 0, room = *count;
  for (u32 i = 0; i < process_count; i++) if (&cards[processes[i].card] == card) {
    if (found && all < room) { found[all].pid = processes[i].pid; found[all].bytes = processes[i].bytes; }
    all++;
  }
  *count = all;
  return all > room ? TOO_SMALL : OK;
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, u32 *count, void *found) { (void)found; CARD; *count = 0; return OK; }
