<?php
/**
 * STAND-IN for Drupal's core: just enough of it to serve pages, keep Drupal's tables, and fail as Drupal fails. No line
 * of it is Drupal's. It reads settings.php, state, configuration and modules as Drupal does.
 */

define( 'DRUPAL_ROOT', dirname( __DIR__, 2 ) );

final class TestbedHandler {
	public function __construct( private TestbedKernel $kernel ) {}

	public function invokeAll( string $hook, array $arguments = array() ): array {
		$all = array();
		foreach ( array_keys( $this->kernel->modules() ) as $module ) {
			if ( function_exists( "{$module}_{$hook}" ) ) {
				$all = array_merge( $all, (array) ( "{$module}_{$hook}" )( ...$arguments ) );
			}
		}
		return $all;
	}

	public function alter( string $type, array &$data ): void {}
}

final class TestbedKernel {
	public PDO $link;
	public string $prefix;
	private static ?self $one = null;

	public static function get(): self {
		return self::$one ??= new self();
	}

	private function __construct() {
		$databases = array();
		$settings  = array();
		$app_root  = DRUPAL_ROOT;
		$site_path = 'sites/default';
		include DRUPAL_ROOT . '/sites/default/settings.php';
		$one          = $databases['default']['default'];
		$this->prefix = (string) ( $one['prefix'] ?? '' );
		$this->link   = new PDO( "mysql:unix_socket={$one['unix_socket']};dbname={$one['database']};charset=utf8mb4", $one['username'], $one['password'], array( PDO::ATTR_ERRMODE => PDO::ERRMODE_EXCEPTION ) );
	}

	public function all( string $sql, array $values = array() ): array {
		$ask = $this->link->prepare( preg_replace( '/\{(\w+)\}/', '`' . $this->prefix . '$1`', $sql ) );
		$ask->execute( $values );
		return $ask->columnCount() > 0 ? $ask->fetchAll( PDO::FETCH_ASSOC ) : array();
	}

	public function value( string $collection, string $name ): mixed {
		$rows = $this->all( 'SELECT value FROM {key_value} WHERE collection = ? AND name = ?', array( $collection, $name ) );
		return $rows ? unserialize( $rows[0]['value'] ) : null;
	}

	public function set( string $collection, string $name, mixed $value ): void {
		$this->all( 'REPLACE INTO {key_value} (collection, name, value) VALUES (?, ?, ?)', array( $collection, $name, serialize( $value ) ) );
	}

	/** The state, through its cache, as Drupal 11 has it. */
	public function state( string $name ): mixed {
		$rows   = $this->all( "SELECT data FROM {cache_bootstrap} WHERE cid = 'state'" );
		$cached = $rows ? unserialize( $rows[0]['data'] ) : array();
		if ( ! array_key_exists( $name, $cached ) ) {
			$cached[ $name ] = $this->value( 'state', $name );
			$this->all( "REPLACE INTO {cache_bootstrap} (cid, data, expire, created, serialized, tags, checksum) VALUES ('state', ?, -1, ?, 1, '', '0')", array( serialize( $cached ), time() ) );
		}
		return $cached[ $name ];
	}

	public function set_state( string $name, mixed $value ): void {
		$this->set( 'state', $name, $value );
		$this->all( "DELETE FROM {cache_bootstrap} WHERE cid = 'state'" );
	}

	public function config( string $name ): array {
		$rows = $this->all( "SELECT data FROM {config} WHERE collection = '' AND name = ?", array( $name ) );
		return $rows ? (array) unserialize( $rows[0]['data'] ) : array();
	}

	/** Modules that are enabled: name to folder below the web root. */
	public function modules(): array {
		$enabled = array_keys( $this->config( 'core.extension' )['module'] ?? array() );
		$found   = self::extensions();
		$modules = array();
		foreach ( $enabled as $name ) {
			if ( isset( $found[ $name ] ) ) {
				$modules[ $name ] = $found[ $name ]['path'];
			}
		}
		return $modules;
	}

	/** Every extension of the file system: name to type, path and what its .info.yml says. */
	public static function extensions(): array {
		$found = array();
		foreach ( array( 'core/modules/*', 'core/themes/*', 'modules/*', 'modules/*/*', 'modules/*/*/modules/*', 'themes/*/*' ) as $place ) {
			foreach ( glob( DRUPAL_ROOT . "/$place/*.info.yml" ) ?: array() as $file ) {
				$info = array();
				foreach ( file( $file, FILE_IGNORE_NEW_LINES ) as $line ) {
					if ( preg_match( '/^(\w+): *(.*)$/', $line, $part ) ) {
						$info[ $part[1] ] = trim( $part[2], "'\" " );
					}
				}
				$found[ basename( $file, '.info.yml' ) ] = array(
					'type' => $info['type'] ?? 'module',
					'path' => substr( dirname( $file ), strlen( DRUPAL_ROOT ) + 1 ),
					'info' => array( 'version' => 'VERSION' === ( $info['version'] ?? '' ) ? \Drupal::VERSION : $info['version'] ?? null ) + $info,
				);
			}
		}
		return $found;
	}

	/** The container, compiled once: its cache does not know of new code of modules, and is fatal with that. */
	public function container(): void {
		$cid   = 'service_container:prod:' . \Drupal::VERSION;
		$built = serialize( array_map( static fn( $one ) => $one['info']['version'], array_intersect_key( self::extensions(), $this->modules() ) ) );
		$rows  = $this->all( 'SELECT data FROM {cache_container} WHERE cid = ?', array( $cid ) );
		if ( ! $rows ) {
			$this->all( "INSERT INTO {cache_container} (cid, data, expire, created, serialized, tags, checksum) VALUES (?, ?, -1, ?, 1, '', '0')", array( $cid, $built, time() ) );
		} elseif ( $rows[0]['data'] !== $built ) {
			throw new \ArgumentCountError( 'Too few arguments to function Drupal\token\Token::__construct(), 5 passed and exactly 6 expected' );
		}
	}

	public function load(): void {
		foreach ( $this->modules() as $name => $path ) {
			if ( is_file( DRUPAL_ROOT . "/$path/$name.module" ) ) {
				require_once DRUPAL_ROOT . "/$path/$name.module";
			}
		}
	}

	/** What each module adds to a page. */
	public function moduleHandlerParts(): array {
		return array_map( 'strval', ( new TestbedHandler( $this ) )->invokeAll( 'page_bottom' ) );
	}

	/** Updates that the code brought and that were not run: id to module, number, description. */
	public function pending(): array {
		drupal_load_updates();
		$pending = array();
		foreach ( array_keys( $this->modules() ) as $module ) {
			$is = (int) $this->value( 'system.schema', $module );
			foreach ( get_defined_functions()['user'] as $function ) {
				if ( preg_match( "/^{$module}_update_(\\d+)$/", $function, $part ) && (int) $part[1] > $is ) {
					$comment              = (string) ( new ReflectionFunction( $function ) )->getDocComment();
					$pending[ $function ] = array(
						'module'      => $module,
						'update_id'   => (int) $part[1],
						'description' => $part[1] . ' - ' . trim( preg_replace( '{^\s*/?\*+/?|\*/}m', '', $comment ) ),
						'type'        => 'hook_update_n',
					);
				}
			}
		}
		return $pending;
	}

	public function flush(): void {
		foreach ( array( 'cache_bootstrap', 'cache_page', 'cache_config', 'cache_container', 'cache_render', 'cache_discovery' ) as $table ) {
			$this->all( "DELETE FROM {{$table}}" );
		}
		$this->all( "REPLACE INTO {cache_config} (cid, data, expire, created, serialized, tags, checksum) VALUES ('system.site', ?, -1, ?, 1, '', '0')", array( serialize( $this->config( 'system.site' ) ), time() ) );
	}
}

/** What \Drupal answers here. */
trait TestbedDrupal {
	public static function moduleHandler(): TestbedHandler {
		return new TestbedHandler( TestbedKernel::get() );
	}
}

function drupal_load_updates(): void {
	foreach ( TestbedKernel::get()->modules() as $name => $path ) {
		if ( is_file( DRUPAL_ROOT . "/$path/$name.install" ) ) {
			require_once DRUPAL_ROOT . "/$path/$name.install";
		}
	}
}
