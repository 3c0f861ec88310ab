<?php
/**
 * Plugin Name: TB New Core
 * Description: Test plugin whose version 2.0 needs WordPress 7.0.
 * Version: 2.0
 * Requires at least: 7.0
 * Requires PHP: 7.4
 * Author: Testbed
 * License: MIT
 */
defined( 'ABSPATH' ) || exit;
