// A NAND flash in memory that records every program and erase, for user-mode Linux: under UBI and
// UBIFS, which need a raw flash, and of which that kernel has no other.
//
// /dev/flashlog: a text written to it is a mark in the record; "torn PAGE" instead makes a page
// unreadable until it is written or erased, as one is whose programming was cut. Reading gives the
// record: for each entry offset, kind (0 program, 1 erase, 2 mark), length; then the bytes, but
// none for an erase.
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mtd/mtd.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#define PAGE_BYTES 2048
#define BLOCK_BYTES (64 * PAGE_BYTES)

static ulong blocks = 64, log_size;
module_param(blocks, ulong, 0);
module_param(log_size, ulong, 0);

struct entry {
  u64 offset;
  u32 kind, length;
};
enum { PROGRAM, ERASE, MARK };

static DEFINE_MUTEX(one_at_a_time);
static u8 *content, *torn, *record;
static size_t recorded;
static bool is_full;

static void add(u64 offset, u32 kind, u32 length, const void *bytes) {
  struct entry entry = {offset, kind, length};
  size_t more = sizeof entry + (bytes ? length : 0);
  if (!record || is_full) return;
  is_full = more > log_size - recorded;
  if (is_full) return;
  memcpy(record + recorded, &entry, sizeof entry);
  if (bytes) memcpy(record + recorded + sizeof entry, bytes, length);
  recorded += more;
}

static int flash_erase(struct mtd_info *mtd, struct erase_info *what) {
  mutex_lock(&one_at_a_time);
  add(what->addr, ERASE, what->len, NULL);
  memset(content + what->addr, 0xff, what->len);
  memset(torn + (size_t)what->addr / PAGE_BYTES, 0, what->len / PAGE_BYTES);
  mutex_unlock(&one_at_a_time);
  return 0;
}

static int flash_read(struct mtd_info *mtd, loff_t from, size_t length, size_t *done, u_char *to) {
  size_t page = (size_t)from / PAGE_BYTES, end = ((size_t)from + length - 1) / PAGE_BYTES;
  memcpy(to, content + from, length);
  *done = length;
  for (; page <= end; page++)
    if (torn[page]) return -EBADMSG;
  return 0;
}

static int flash_write(struct mtd_info *mtd, loff_t to, size_t length, size_t *done,
                       const u_char *from) {
  mutex_lock(&one_at_a_time);
  add(to, PROGRAM, length, from);
  memcpy(content + to, from, length);
  memset(torn + (size_t)to / PAGE_BYTES, 0, length / PAGE_BYTES);
  *done = length;
  mutex_unlock(&one_at_a_time);
  return 0;
}

static struct mtd_info flash = {
    .name = "flash", .type = MTD_NANDFLASH, .flags = MTD_CAP_NANDFLASH, .owner = THIS_MODULE,
    .erasesize = BLOCK_BYTES, .writesize = PAGE_BYTES, .writebufsize = PAGE_BYTES,
    ._erase = flash_erase, ._read = flash_read, ._write = flash_write,
};

static ssize_t log_read(struct file *file, char __user *to, size_t length, loff_t *from) {
  if (is_full) return -ENOSPC;
  return simple_read_from_buffer(to, length, from, record, recorded);
}

static ssize_t log_write(struct file *file, const char __user *from, size_t length, loff_t *to) {
  char text[256];
  unsigned long page;
  if (length >= sizeof text) return -EINVAL;
  if (copy_from_user(text, from, length)) return -EFAULT;
  text[length] = 0;
  mutex_lock(&one_at_a_time);
  if (sscanf(text, "torn %lu", &page) != 1) add(0, MARK, length, text);
  else if (page < (size_t)flash.size / PAGE_BYTES) torn[page] = 1;
  mutex_unlock(&one_at_a_time);
  return length;
}

static const struct file_operations log_operations = {
    .owner = THIS_MODULE, .read = log_read, .write = log_write,
};
static struct miscdevice log_device = {
    .minor = MISC_DYNAMIC_MINOR, .name = "flashlog", .fops = &log_operations,
};

// Never unloaded: the guest ends.
static int __init begin(void) {
  flash.size = (u64)blocks * BLOCK_BYTES;
  content = vmalloc(flash.size);
  torn = vzalloc((size_t)flash.size / PAGE_BYTES);
  record = log_size ? vmalloc(log_size) : NULL;
  if (!content || !torn || (log_size && !record)) return -ENOMEM;
  memset(content, 0xff, flash.size);
  return misc_register(&log_device) ?: mtd_device_register(&flash, NULL, 0);
}
module_init(begin);
MODULE_DESCRIPTION("A NAND flash in memory that records what is written");
MODULE_LICENSE("Dual MIT/GPL");
